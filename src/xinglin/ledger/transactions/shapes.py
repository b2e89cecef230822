"""Reading many envelopes of one shape: keys, kinds and lengths are compared at one stroke, and only values are read.

Whoever writes to a ledger writes the same few forms again and again. An envelope that the strict decoder has read tells
which bytes every envelope of its shape has in common: keys, kinds and lengths. Another one with these very bytes in
these very places is canonical too if its numbers are as short as they could be and its texts are UTF-8, and has the
same form, so it need not be walked through. Whatever differs is left to the strict decoder: a shape never refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Any

__all__ = ["LONGEST", "Shape", "Shapes", "shape_of"]

LONGEST = 1_024
"""Bytes of the longest envelope whose shape is worth remembering."""

_FEW = 4
_SMALLEST = {"B": 24, "H": 1 << 8, "I": 1 << 16, "Q": 1 << 32}
_WIDTHS = {24: "B", 25: "H", 26: "I", 27: "Q"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What envelopes of one form have in common.

    Attributes:
        values: Where the values lie, in order.
        mask: Ones over the bytes that all have in common.
        common: Those bytes, zeros between them.
        texts: Which values are texts.
        numbers: Which values are numbers, and the smallest that needs its bytes.
        fixed: Values that their first byte says already.
        inner: The one value that is a map: its first value, the place after its last, and its keys.
    """

    values: Struct
    mask: int
    common: int
    texts: tuple[int, ...]
    numbers: tuple[tuple[int, int], ...]
    fixed: tuple[tuple[int, Any], ...]
    inner: tuple[int, int, tuple[str, ...]] | None

    def read(self, data: bytes) -> list[Any] | None:
        """The values of an envelope of the same length, then its seal; None when it is of another shape or refused.

        Example:
            >>> first, second = (bytes.fromhex(f"8246a1616e19{number}41ff") for number in ("012c", "0190"))
            >>> shape_of({"n": 300}, bytes([255]), first).read(second)
            [400, b'\\xff']
        """
        if int.from_bytes(data) & self.mask != self.common:
            return None
        values: list[Any] = [*self.values.unpack(data)]
        try:
            for place in self.texts:
                values[place] = values[place].decode()
        except UnicodeDecodeError:
            return None
        for place, smallest in self.numbers:
            if values[place] < smallest:
                return None
        for place, value in self.fixed:
            values[place] = value
        if self.inner:
            first, end, keys = self.inner
            # As many keys as values were counted when the shape was made.
            values[first:end] = [dict(zip(keys, values[first:end]))]  # noqa: B905
        return values


class _Survey:
    """Walks through an envelope that is known to be canonical, beside its value."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.format = ">"
        self.mask = bytearray()
        self.texts: list[int] = []
        self.numbers: list[tuple[int, int]] = []
        self.fixed: list[tuple[int, Any]] = []
        self.count = 0
        self.inner: tuple[int, int, tuple[str, ...]] | None = None

    def skip(self, end: int) -> None:
        """Bytes that are common and say no value."""
        self.format += f"{end - self.at}x"
        self.mask += b"\xff" * (end - self.at)
        self.at = end

    def head(self) -> int:
        """The length that the next byte, or it and those behind it, say; where these end is the new place."""
        information = self.data[self.at] & 31
        width = 1 << information - 24 if information >= 24 else 0
        end = self.at + 1 + width
        number = int.from_bytes(self.data[self.at + 1 : end]) if width else information
        self.skip(end)
        return number

    def key(self) -> None:
        """A map's key."""
        length = self.head()
        self.skip(self.at + length)

    def value(self, value: Any) -> None:
        """A value that is neither a map nor an array."""
        kind, information = self.data[self.at] >> 5, self.data[self.at] & 31
        if kind in (2, 3):
            length = self.head()
            if kind == 3:
                self.texts.append(self.count)
            self._variable(f"{length}s", length)
        elif kind == 0 and information >= 24:
            self.skip(self.at + 1)
            letter = _WIDTHS[information]
            self.numbers.append((self.count, _SMALLEST[letter]))
            self._variable(letter, 1 << information - 24)
        else:
            length = 1 + (1 << information - 24 if information >= 24 else 0)
            self.fixed.append((self.count, value))
            self.format += f"{length}s"
            self.mask += b"\xff" * length
            self.at += length
        self.count += 1

    def fields(self, value: dict[str, Any]) -> bool:
        """A map; False when it holds more than plain values and one map of plain values."""
        self.head()
        for one in value.values():
            self.key()
            if type(one) is dict and _is_flat(one) and self.inner is None:
                self.inner = self._map(one)
            elif type(one) in (dict, list):
                return False
            else:
                self.value(one)
        return True

    def shape(self) -> Shape:
        """What was walked through."""
        mask = int.from_bytes(self.mask)
        places = tuple(self.texts), tuple(self.numbers), tuple(self.fixed)
        return Shape(Struct(self.format), mask, int.from_bytes(self.data) & mask, *places, self.inner)

    def _map(self, value: dict[str, Any]) -> tuple[int, int, tuple[str, ...]]:
        self.head()
        first = self.count
        for one in value.values():
            self.key()
            self.value(one)
        return first, self.count, tuple(value)

    def _variable(self, letter: str, length: int) -> None:
        self.format += letter
        self.mask += bytes(length)
        self.at += length


def shape_of(fields: dict[str, Any], seal: bytes, data: bytes) -> Shape | None:
    """The shape of an envelope; None for one that is too long or too deep to be worth it.

    Args:
        fields: What the message says.
        seal: The byte string behind it.
        data: The envelope: an array of the message and the seal, both byte strings; all canonical CBOR.

    Example:
        >>> shape_of({"n": [1]}, b"", bytes.fromhex("8245a1616e810140")) is None
        True
    """
    if len(data) > LONGEST:
        return None
    survey = _Survey(data)
    survey.head()
    survey.head()
    if not survey.fields(fields):
        return None
    survey.value(seal)
    return survey.shape()


def _is_flat(value: dict[str, Any]) -> bool:
    return not any(type(one) in (dict, list) for one in value.values())


class Shapes:
    """The shapes seen last, a few for each length, so that what is remembered stays small.

    Example:
        >>> shapes, first = Shapes(), bytes.fromhex("8246a1616e19012c41ff")
        >>> before = shapes.read(first); shapes.learn(shape_of({"n": 300}, bytes([255]), first))
        >>> before, shapes.read(first)
        (None, [300, b'\\xff'])
    """

    def __init__(self) -> None:
        self._shapes: dict[int, tuple[Shape, ...]] = {}

    def read(self, data: bytes) -> list[Any] | None:
        """What a shape reads; None when the envelope is of no shape that was seen."""
        for shape in self._shapes.get(len(data), ()):
            value = shape.read(data)
            if value is not None:
                return value
        return None

    def learn(self, shape: Shape | None) -> None:
        """Remember the shape of an envelope that the strict decoder has read, if it has one."""
        if shape is not None:
            self._shapes[shape.values.size] = (shape, *self._shapes.get(shape.values.size, ())[: _FEW - 1])
