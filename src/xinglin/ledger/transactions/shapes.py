"""Fast path for envelopes of a known shape: compares all keys, types and lengths at once and reads only the values.

Most transactions have one of a few shapes. From an envelope that the strict decoder has read, a shape stores the bytes
that all envelopes of that shape share: keys, types and lengths. Another envelope with the same bytes at the same
positions is canonical too if its numbers are in shortest form and its texts are UTF-8, so it need not be decoded step
by step. All other envelopes go to the strict decoder: a shape never refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Any

__all__ = ["LONGEST", "Shape", "Shapes", "shape_of"]

LONGEST = 1_024
"""Maximum length in bytes of an envelope whose shape is cached."""

_FEW = 4
_SMALLEST = {"B": 24, "H": 1 << 8, "I": 1 << 16, "Q": 1 << 32}
_WIDTHS = {24: "B", 25: "H", 26: "I", 27: "Q"}


@dataclass(frozen=True, slots=True)
class Shape:
    """The common bytes of envelopes of one shape.

    Attributes:
        values: Positions of the values, in order.
        mask: Mask of the common bytes.
        common: The common bytes, with zeros between them.
        texts: Indexes of values that are texts.
        numbers: Indexes of values that are numbers, with the smallest number of that width.
        fixed: Values that are encoded in their first byte.
        inner: The value that is a map: index of its first value, index after its last, and its keys.
    """

    values: Struct
    mask: int
    common: int
    texts: tuple[int, ...]
    numbers: tuple[tuple[int, int], ...]
    fixed: tuple[tuple[int, Any], ...]
    inner: tuple[int, int, tuple[str, ...]] | None

    def read(self, data: bytes) -> list[Any] | None:
        """The values of an envelope of the same length, then its signature; None for another shape.

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
            # Keys and values were counted when the shape was created.
            values[first:end] = [dict(zip(keys, values[first:end]))]  # noqa: B905
        return values


class _Survey:
    """Derives the shape of a canonical envelope from its bytes and its decoded value."""

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
        """Add common bytes that encode no value."""
        self.format += f"{end - self.at}x"
        self.mask += b"\xff" * (end - self.at)
        self.at = end

    def head(self) -> int:
        """Read a CBOR head and return its length argument."""
        information = self.data[self.at] & 31
        width = 1 << information - 24 if information >= 24 else 0
        end = self.at + 1 + width
        number = int.from_bytes(self.data[self.at + 1 : end]) if width else information
        self.skip(end)
        return number

    def key(self) -> None:
        """Read the key of a map."""
        length = self.head()
        self.skip(self.at + length)

    def value(self, value: Any) -> None:
        """Read a value that is neither a map nor an array."""
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
        """Read a map; False if it holds more than plain values and one map of plain values."""
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
        """The resulting shape."""
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
    """The shape of an envelope; None if it is too long or too deep.

    Args:
        fields: The decoded message.
        seal: The signature.
        data: The envelope: canonical CBOR array of message and signature.

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
    """Cache of the last shapes, a few per length.

    Example:
        >>> shapes, first = Shapes(), bytes.fromhex("8246a1616e19012c41ff")
        >>> before = shapes.read(first); shapes.learn(shape_of({"n": 300}, bytes([255]), first))
        >>> before, shapes.read(first)
        (None, [300, b'\\xff'])
    """

    def __init__(self) -> None:
        self._shapes: dict[int, tuple[Shape, ...]] = {}

    def read(self, data: bytes) -> list[Any] | None:
        """The values of an envelope; None if its shape is not cached."""
        for shape in self._shapes.get(len(data), ()):
            value = shape.read(data)
            if value is not None:
                return value
        return None

    def learn(self, shape: Shape | None) -> None:
        """Cache the shape of an envelope that the strict decoder has read."""
        if shape is not None:
            self._shapes[shape.values.size] = (shape, *self._shapes.get(shape.values.size, ())[: _FEW - 1])
