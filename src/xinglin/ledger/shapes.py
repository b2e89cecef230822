"""Reading many messages of one shape: keys, kinds and lengths are compared at one stroke, and only values are read.

Whoever writes to a ledger writes the same few forms again and again. A message that the strict decoder has read tells
which bytes every message of its shape has in common: keys, kinds and lengths. Another message with these very bytes in
these very places is canonical too if its numbers are as short as they could be and its texts are UTF-8, and has the
same form, so it need not be walked through. Whatever differs is left to the strict decoder: a shape never refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Any

__all__ = ["LONGEST", "Shape", "Shapes", "shape_of"]

LONGEST = 1_024
"""Bytes of the longest message whose shape is worth remembering."""

_FEW = 4
_SMALLEST = {"B": 24, "H": 1 << 8, "I": 1 << 16, "Q": 1 << 32}
_WIDTHS = {24: "B", 25: "H", 26: "I", 27: "Q"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What messages of one form have in common.

    Attributes:
        values: Where the values lie, in order.
        mask: Ones over the bytes that all have in common.
        common: Those bytes, zeros between them.
        texts: Which values are texts.
        numbers: Which values are numbers, and the smallest that needs its bytes.
        fixed: Values that their first byte says already.
        keys: The map's keys; None for an array.
        inner: The map's one value that is a map: its first value, the place after its last, and its keys.
    """

    values: Struct
    mask: int
    common: int
    texts: tuple[int, ...]
    numbers: tuple[tuple[int, int], ...]
    fixed: tuple[tuple[int, Any], ...]
    keys: tuple[str, ...] | None
    inner: tuple[int, int, tuple[str, ...]] | None

    def read(self, data: bytes) -> Any:
        """The value of a message of the same length; None when it is of another shape or has to be refused.

        Example:
            >>> shape_of({"n": 300}, bytes.fromhex("a1616e19012c")).read(bytes.fromhex("a1616e190190"))
            {'n': 400}
        """
        if int.from_bytes(data) & self.mask != self.common:
            return None
        values: list[Any] = [*self.values.unpack(data)]
        try:
            for place in self.texts:
                values[place] = str(values[place], "utf-8")
        except UnicodeDecodeError:
            return None
        for place, smallest in self.numbers:
            if values[place] < smallest:
                return None
        for place, value in self.fixed:
            values[place] = value
        if self.inner:
            first, end, keys = self.inner
            values[first:end] = [dict(zip(keys, values[first:end], strict=True))]
        return values if self.keys is None else dict(zip(self.keys, values, strict=True))


class _Survey:
    """Walks through a message that is known to be canonical, beside its value."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.format = ">"
        self.mask = bytearray()
        self.texts: list[int] = []
        self.numbers: list[tuple[int, int]] = []
        self.fixed: list[tuple[int, Any]] = []
        self.count = 0

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

    def inner(self, value: dict[str, Any]) -> tuple[int, int, tuple[str, ...]]:
        """A map within the map."""
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


def shape_of(value: Any, data: bytes) -> Shape | None:
    """The shape of a message; None when it is not one worth remembering.

    Args:
        value: What the strict decoder read: an array, or a map, of plain values; one value of a map may be a map.
        data: The message, canonical CBOR.

    Example:
        >>> shape_of([[1]], bytes.fromhex("818101")) is None
        True
    """
    if len(data) > LONGEST or type(value) not in (list, dict):
        return None
    survey, inner = _Survey(data), None
    survey.head()
    keys = tuple(value) if type(value) is dict else None
    for one in value if keys is None else value.values():
        if keys is not None:
            survey.key()
        if type(one) is dict and _is_flat(one) and keys is not None and inner is None:
            inner = survey.inner(one)
        elif type(one) in (dict, list):
            return None
        else:
            survey.value(one)
    mask = int.from_bytes(survey.mask)
    places = tuple(survey.texts), tuple(survey.numbers), tuple(survey.fixed)
    return Shape(Struct(survey.format), mask, int.from_bytes(data) & mask, *places, keys, inner)


def _is_flat(value: dict[str, Any]) -> bool:
    return not any(type(one) in (dict, list) for one in value.values())


class Shapes:
    """The shapes seen last, a few for each length, so that what is remembered stays small.

    Args:
        strict: The decoder that every message could be read with.

    Example:
        >>> from xinglin.ledger import cbor
        >>> shapes = Shapes(cbor.decode); shapes.read(cbor.encode({"n": 1_000})), shapes.read(cbor.encode({"n": 2_000}))
        ({'n': 1000}, {'n': 2000})
    """

    def __init__(self, strict: Callable[[bytes], Any]) -> None:
        self._strict = strict
        self._shapes: dict[int, tuple[Shape, ...]] = {}

    def read(self, data: bytes) -> Any:
        """What the strict decoder would read, or raise.

        Raises:
            ValueError: These bytes are no canonical encoding of a value allowed here.
        """
        # What stands in another message's place of bytes may be anything.
        if type(data) is bytes:
            for shape in self._shapes.get(len(data), ()):
                value = shape.read(data)
                if value is not None:
                    return value
        value = self._strict(data)
        new = shape_of(value, data) if type(data) is bytes else None
        if new is not None:
            self._shapes[len(data)] = (new, *self._shapes.get(len(data), ())[: _FEW - 1])
        return value
