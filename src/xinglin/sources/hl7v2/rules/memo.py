"""The words that something depends on, as a key that costs little; and a memory of bounded size by such keys."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from itertools import islice
from operator import itemgetter
from typing import Any, Generic, TypeVar

__all__ = ["Remembered", "words_of"]

Kept = TypeVar("Kept")
_Read = Callable[[Any], Hashable]


def words_of(paths: Iterable[tuple[str, int]], filled: frozenset[tuple[str, int]] = frozenset()) -> _Read:
    """What reads the words of some fields and facts out of a context: equal keys mean equal words.

    Args:
        paths: Name and number of each field; a fact is ``@name`` with 0.
        filled: Those of which only matters whether they have anything.

    Example:
        >>> words = words_of([("OBX", 3), ("OBX", 5), ("OBX", 9)], frozenset([("OBX", 5)]))
        >>> words({"OBX": ["OBX", "1", "NM", "a", "", "7.2"]}) == words({"OBX": ["OBX", "2", "ST", "a", "", "7.9"]})
        True
    """
    paths = sorted(set(paths))
    numbers = {name: [number for one, number in paths if one == name] for name, _ in paths}
    readers = [_fact(name) if name[0] == "@" else _fields(name, numbers[name], filled) for name in numbers]
    if len(readers) == 1:
        return readers[0]
    if len(readers) == 2:
        first, second = readers
        return lambda context: (first(context), second(context))
    return lambda context: tuple([read(context) for read in readers])


def _fact(name: str) -> _Read:
    return lambda context: context.get(name, "")


def _fields(name: str, numbers: list[int], filled: frozenset[tuple[str, int]]) -> _Read:
    mark = next((number for number in numbers if (name, number) in filled), -1)
    whole = [number for number in numbers if number != mark]
    rest = _one(name, whole[0]) if len(whole) == 1 else _many(name, whole)
    if mark < 0:
        return rest

    def read(context: Any) -> Hashable:
        fields = context.get(name)
        if fields is None or mark >= len(fields):
            return rest(context), ""
        raw = fields[mark]
        return rest(context), raw[:1].isalnum() or raw  # no delimiter, blank or escape is alphanumeric

    return read


def _one(name: str, number: int) -> _Read:
    def read(context: Any) -> Hashable:
        fields = context.get(name)
        word: str = fields[number] if fields is not None and number < len(fields) else ""
        return word

    return read


def _many(name: str, numbers: list[int]) -> _Read:
    """Segments of the same length are read in one go; what a shorter one lacks is lacking at the end of its key."""
    readers: dict[int, Callable[[Any], Hashable]] = {}

    def read(context: Any) -> Hashable:
        fields = context.get(name)
        if fields is None:
            return ()
        get = readers.get(len(fields))
        if get is None:
            there = [number for number in numbers if number < len(fields)]
            get = readers[len(fields)] = itemgetter(*there) if there else _nothing
        return get(fields)

    return read


def _nothing(fields: Any) -> Hashable:
    return ()


class Remembered(dict[Any, Kept], Generic[Kept]):
    """What was made before, by the words it was made of; the older half is let go where there is no more room.

    Args:
        most: How many are remembered at most.

    Example:
        >>> known = Remembered(4)
        >>> for word in "abcde":
        ...     known.keep(word, word.upper())
        >>> known.get("a"), known.get("c"), known.get("e")
        (None, 'C', 'E')
    """

    __slots__ = ("most",)

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def keep(self, key: Any, value: Kept) -> None:
        """Remember something."""
        if len(self) >= self.most:
            for old in list(islice(self, max(1, self.most // 2))):
                del self[old]
        self[key] = value
