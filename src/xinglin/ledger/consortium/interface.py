"""ABCI 2.0 in messages: what CometBFT asks an application, what it is answered, and how both travel.

A message on the socket is its length as a base-128 varint, then a ``Request`` or ``Response`` of protocol buffers
(CometBFT specification, ABCI++ client and server). The classes are made from the description that
`xinglin.ledger.consortium.toolchain` compiled; none is part of the repository.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from xinglin.core.errors import NotFound
from xinglin.ledger.consortium.toolchain import interface_file

__all__ = ["MAX_MESSAGE", "Interface", "cut", "frame", "interface"]

MAX_MESSAGE = 104_857_600
"""Bytes of the longest message: CometBFT's own limit for a block, 100 MiB."""


@dataclass(frozen=True)
class Interface:
    """The messages of ``tendermint.abci``, made when asked for.

    Args:
        pool: All descriptors of one release.
    """

    pool: Any

    def message(self, name: str) -> Any:
        """The class of a message, such as ``Request`` or ``ResponseInfo``."""
        from google.protobuf.message_factory import GetMessageClass

        return GetMessageClass(self.pool.FindMessageTypeByName(f"tendermint.abci.{name}"))


def interface() -> Interface:
    """The interface of the release of CometBFT that is used.

    Raises:
        NotFound: It was not made on this machine, or protobuf is not installed.
    """
    return _load(interface_file())


@cache
def _load(path: Path) -> Interface:
    try:
        from google.protobuf.descriptor_pb2 import FileDescriptorSet
        from google.protobuf.descriptor_pool import DescriptorPool
    except ImportError as error:
        raise NotFound("protobuf is not installed", remedy="run: pip install 'xinglin[consortium]'") from error
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(path.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
    return Interface(pool)


def frame(message: bytes) -> bytes:
    """A message as it travels: its length, then itself.

    Example:
        >>> frame(bytes(300))[:2].hex()
        'ac02'
    """
    length, varint = len(message), bytearray()
    while length > 0x7F:
        varint.append(length & 0x7F | 0x80)
        length >>= 7
    varint.append(length)
    return bytes(varint) + message


def cut(buffer: bytearray) -> Generator[bytes]:
    """The whole messages at the beginning of what has arrived; they are taken out of it.

    Args:
        buffer: What has arrived; an unfinished message stays.

    Raises:
        ValueError: A message says that it is longer than `MAX_MESSAGE`.

    Example:
        >>> arrived = bytearray(frame(b"one") + frame(b"two") + b"\\x05thr")
        >>> [bytes(message) for message in cut(arrived)], bytes(arrived)
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
            # Taken out even if nobody asks for the next one.
            start = place + length
            yield bytes(buffer[place:start])
    finally:
        del buffer[:start]
