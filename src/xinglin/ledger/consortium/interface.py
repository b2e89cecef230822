"""ABCI 2.0 messages: request and response classes and their framing.

A message on the socket is its length as a base-128 varint, followed by a protobuf ``Request`` or ``Response``
(CometBFT specification, ABCI++ client and server). The classes are created from the descriptors that
`xinglin.ledger.consortium.toolchain` compiles; they are not part of the repository.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from xinglin.core.errors import NotFound
from xinglin.ledger.consortium.toolchain import interface_file
from xinglin.ledger.proofs.protobuf import varint

__all__ = ["MAX_MESSAGE", "Interface", "check_tx_of", "frame", "interface", "split_messages"]

MAX_MESSAGE = 104_857_600
"""Maximum message size in bytes: CometBFT's limit for a block, 100 MiB."""

_CHECK = b"\x42"
_TX = b"\x0a"
_AGAIN = b"\x10\x01"
"""Protobuf tags: ``Request.check_tx``, ``RequestCheckTx.tx``, and ``type`` with the value recheck."""


@dataclass(frozen=True)
class Interface:
    """The message classes of ``tendermint.abci``.

    Args:
        pool: Descriptors of one release.
    """

    pool: Any

    def message(self, name: str) -> Any:
        """The class of a message, such as ``Request`` or ``ResponseInfo``."""
        from google.protobuf.message_factory import GetMessageClass

        return GetMessageClass(self.pool.FindMessageTypeByName(f"tendermint.abci.{name}"))


def interface() -> Interface:
    """The ABCI messages of the installed release of CometBFT.

    Raises:
        NotFound: CometBFT or protobuf is not installed.
    """
    return _load(interface_file())


@cache
def _load(path: Path) -> Interface:
    try:
        from google.protobuf.descriptor_pb2 import FileDescriptorSet
        from google.protobuf.descriptor_pool import DescriptorPool
    except ImportError as error:
        raise NotFound("protobuf is not installed", remedy="run pip install 'xinglin[consortium]'") from error
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(path.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
    return Interface(pool)


def frame(message: bytes) -> bytes:
    """Frame a message: its length, then its bytes.

    Example:
        >>> frame(bytes(300))[:2].hex()
        'ac02'
    """
    return varint(len(message)) + message


def check_tx_of(message: bytes) -> bytes | None:
    """The transaction of a CheckTx request; None for any other request or encoding.

    Fast path for the most frequent request: all CheckTx requests of one length begin with the same bytes.

    Example:
        >>> check_tx_of(bytes.fromhex("42050a03") + b"abc")
        b'abc'
    """
    head, head_again = _check_heads(len(message))
    if head is not None and message.startswith(head):
        return message[len(head) :]
    if head_again is not None and message.startswith(head_again) and message.endswith(_AGAIN):
        return message[len(head_again) : -len(_AGAIN)]
    return None


@lru_cache(1_024)
def _check_heads(length: int) -> tuple[bytes | None, bytes | None]:
    """First bytes of CheckTx requests of this length: for a new check, and for a recheck."""
    inner = _content(length)
    sizes = [None if inner is None else _content(inner - tail) for tail in (0, len(_AGAIN))]
    heads = [None if inner is None or size is None else _CHECK + varint(inner) + _TX + varint(size) for size in sizes]
    return heads[0], heads[1]


def _content(length: int) -> int | None:
    """Content length of a protobuf field with this total length; None if there is none."""
    fitting = (length - 1 - width for width in range(1, 6))
    return next((size for size in fitting if size >= 0 and len(varint(size)) + 1 + size == length), None)


def split_messages(buffer: bytearray) -> Generator[bytes]:
    """Remove and return the complete messages at the start of a buffer.

    Args:
        buffer: Received bytes; an incomplete message stays.

    Raises:
        ValueError: A message is longer than `MAX_MESSAGE`.

    Example:
        >>> arrived = bytearray(frame(b"one") + frame(b"two") + b"\\x05thr")
        >>> [bytes(message) for message in split_messages(arrived)], bytes(arrived)
        ([b'one', b'two'], b'\\x05thr')
    """
    start = 0
    try:
        while True:
            length, shift, place = 0, 0, start
            while True:
                if place >= len(buffer):
                    return
                byte = buffer[place]
                length |= (byte & 0x7F) << shift
                place, shift = place + 1, shift + 7
                if byte < 0x80:
                    break
                if shift > 28:
                    raise ValueError("the length of a message has more than five bytes")
            if length > MAX_MESSAGE:
                raise ValueError(f"a message of {length} bytes is longer than {MAX_MESSAGE}")
            if place + length > len(buffer):
                return
            # Removed even if the caller stops iterating.
            start = place + length
            yield bytes(buffer[place:start])
    finally:
        del buffer[:start]
