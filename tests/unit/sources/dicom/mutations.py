"""Real objects broken in the ways that disks, networks and devices break them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

__all__ = ["mutated", "originals"]


def originals(folders: Sequence[Path], largest: int = 600_000) -> list[bytes]:
    """The files of some folders in a fixed order."""
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    return [path.read_bytes() for path in paths if path.stat().st_size <= largest]


def _flip(data: bytearray, random: Random, other: bytes) -> None:
    for _ in range(random.randint(1, 30)):
        data[_near_start(data, random)] = random.randrange(256)


def _cut(data: bytearray, random: Random, other: bytes) -> None:
    del data[_near_start(data, random) :]


def _remove(data: bytearray, random: Random, other: bytes) -> None:
    at = _near_start(data, random)
    del data[at : at + random.randint(1, 64)]


def _insert(data: bytearray, random: Random, other: bytes) -> None:
    at = _near_start(data, random)
    data[at:at] = random.randbytes(random.randint(1, 64))


def _length(data: bytearray, random: Random, other: bytes) -> None:
    at = _near_start(data, random)
    huge = random.choice(
        [b"\xff\xff\xff\xff", b"\xff\xff", b"\x00\x00\x00\x80", b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"]
    )
    data[at : at + len(huge)] = huge


def _nest(data: bytearray, random: Random, other: bytes) -> None:
    item = b"\x08\x00\x10\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    at = _near_start(data, random)
    data[at:at] = item * random.choice([2, 50, 3_000])


def _splice(data: bytearray, random: Random, other: bytes) -> None:
    at = _near_start(data, random)
    data[at:] = other[_near_start(bytearray(other), random) :]


def _repeat(data: bytearray, random: Random, other: bytes) -> None:
    at = _near_start(data, random)
    piece = data[at : at + random.randint(8, 400)]
    data[at:at] = piece * random.randint(1, 50)


_WAYS: tuple[Callable[[bytearray, Random, bytes], None], ...] = (
    _flip, _cut, _remove, _insert, _length, _nest, _splice, _repeat,
)  # fmt: skip


def _near_start(data: bytearray, random: Random) -> int:
    """Mostly within the header, where it matters."""
    if not data:
        return 0
    return random.randrange(min(len(data), random.choice([400, 2_000, 2_000, 1_000_000])))


def mutated(pool: Sequence[bytes], number: int) -> bytes:
    """The broken object of a number: the same in every run."""
    random = Random(number)
    data = bytearray(random.choice(pool))
    for _ in range(random.randint(1, 3)):
        if data:
            random.choice(_WAYS)(data, random, random.choice(pool))
    return bytes(data)
