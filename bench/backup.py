"""Backup and restore beside what the machine can do with the same bytes: a plain copy, and bare zstd and age."""

from __future__ import annotations

import io
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from bench.material import folder as kept
from bench.measure import record
from xinglin.backup import Plan, Recipients, Target, backups, create, new_identity, read_identities, restore, verify
from xinglin.core.clock import fixed_clock
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.lake import Lake

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SMALL, PIECE = 2_000, 8 << 20


def made(home: Path, megabytes: int) -> None:
    """A region of this many MB: four fifths in incompressible files of 40 MB, the rest in small text files."""
    Settings(home=home).save()
    batch = home / "landing" / "mercy" / "batch-000001"
    batch.mkdir(parents=True)
    (home / "landing" / "mercy" / "site.json").write_text("{}")
    large = min(40, max(1, megabytes * 4 // 5))
    for number in range(megabytes * 4 // 5 // large):
        (batch / f"Observation-{number:05d}.parquet").write_bytes(os.urandom(large * 1_000_000))
    line = b'{"resourceType":"Observation","id":"%d","status":"final"}\n'
    for number in range(megabytes * 1_000_000 // 5 // SMALL):
        small = home / "landing" / "mercy" / f"batch-{number // 100 + 2:06d}"
        small.mkdir(exist_ok=True)
        (small / f"part-{number}").write_bytes((line % number * (SMALL // 60 + 1))[:SMALL])


def bare(home: Path, out: Path, public: str) -> None:
    """zstd and age over the same files, one after the other cut into 8 MiB, with as many threads; nothing is named."""
    import pyrage
    import zstandard

    recipient = [pyrage.x25519.Recipient.from_str(public)]

    def seal(one: tuple[int, bytes]) -> None:
        packed = zstandard.ZstdCompressor(1).compress(one[1])
        with (out / str(one[0])).open("wb") as file:
            pyrage.encrypt_io(io.BytesIO(packed), file, recipient)
            file.flush()
            os.fsync(file.fileno())

    def pieces():  # type: ignore[no-untyped-def]
        waiting = bytearray()
        for path in sorted(path for path in (home / "landing").rglob("*") if path.is_file()):
            waiting += path.read_bytes()
            while len(waiting) >= PIECE:
                yield bytes(waiting[:PIECE])
                del waiting[:PIECE]
        yield bytes(waiting)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(seal, enumerate(pieces())))


def opened(out: Path, identity: str, home: Path) -> None:
    """The reverse of `bare`, into one file."""
    import pyrage
    import zstandard

    key = [pyrage.x25519.Identity.from_str(identity)]

    def plain(path: Path) -> bytes:
        found = io.BytesIO()
        with path.open("rb") as file:
            pyrage.decrypt_io(file, found, key)
        return zstandard.ZstdDecompressor().decompress(found.getbuffer())

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool, home.open("wb") as file:
        for one in pool.map(plain, sorted(out.iterdir(), key=lambda path: int(path.name))):
            file.write(one)
        file.flush()
        os.fsync(file.fileno())


def copied(home: Path, out: Path) -> None:
    """``cp -r``; nothing is made durable, while all the others flush what they write."""
    shutil.copytree(home / "landing", out)


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def bench(resources: int, times: int) -> None:
    """About 400 bytes of landing for each resource."""
    with tempfile.TemporaryDirectory(dir=kept()) as name:
        measure(Path(name), max(2, resources * 400 // 1_000_000), times)


def measure(folder: Path, megabytes: int, times: int) -> None:
    home = folder / "home"
    made(home, megabytes)
    files = [path for path in home.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    text, public = new_identity(NOW)
    (folder / "identity").write_text(text)
    identities = read_identities(folder / "identity")
    settings = Settings(home=home)
    plan = Plan(settings, Lake(settings.lake, permit=OPEN), bytes(32), Recipients.of([public]), fixed_clock(NOW))
    seconds: dict[str, list[float]] = {}
    for number in range(times):
        target = Target.at(str(folder / f"target-{number}"))
        out = folder / f"bare-{number}"
        out.mkdir()
        steps = {
            "copy": lambda out=out: copied(home, out.with_name("copy")),
            "bare_zstd_age": lambda out=out: bare(home, out, public),
            "create": lambda target=target: create(plan, target),
            "create_again": lambda target=target: create(plan, target),
            "verify": lambda target=target: verify(target, backups(target)[-1]),
            "verify_opened": lambda target=target: verify(target, backups(target)[-1], identities),
            "bare_open": lambda out=out: opened(out, text.splitlines()[-1], out.with_name("plain")),
            "restore": lambda target=target: restore(target, backups(target)[-1], identities, folder / "again"),
        }
        for step, work in steps.items():
            seconds.setdefault(step, []).append(timed(work))
        for path in (out, folder / "copy", folder / "again", folder / f"target-{number}", home / "backup"):
            shutil.rmtree(path)
    rates = {
        f"{step}_mb_s": round(size / 1e6 / statistics.median(some))
        for step, some in seconds.items()
        if step != "create_again"
    }
    ratios = {
        "create_to_bare": ("create", "bare_zstd_age"),
        "create_to_copy": ("create", "copy"),
        "restore_to_bare": ("restore", "bare_open"),
        "restore_to_copy": ("restore", "copy"),
    }
    figures = {
        name: round(statistics.median(a / b for a, b in zip(seconds[one], seconds[other], strict=True)), 2)
        for name, (one, other) in ratios.items()
    }
    unchanged = round(statistics.median(seconds["create_again"]), 3)
    record(
        "backup",
        {
            "mb": round(size / 1e6),
            "files": len(files),
            **rates,
            **figures,
            "unchanged_seconds": unchanged,
            "pairs": times,
        },
    )
