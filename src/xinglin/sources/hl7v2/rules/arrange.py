"""The elements of a rule in the order that costs least, message after message.

Three observations make a message cheap. Most fields of a segment are empty, and always the same ones: so the elements
that can have something are looked up by the pattern of empty fields. Many fields (a test, its unit, a ward, a doctor)
come again and again with the same words: what depends on them alone is remembered by these words, all elements of
`often` together and every other element by itself. And the rest, a reference and a moment, is little.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from xinglin.sources.hl7v2.message.tree import Context
from xinglin.sources.hl7v2.rules.memo import Remembered, words_of
from xinglin.sources.record import Rejected

__all__ = ["Element", "arranged"]

_REMEMBERED = 4_096
_PATTERNS = 2_048
_LONG = 800
_WIDE = 100


class Element(NamedTuple):
    """One element of a resource.

    Args:
        make: Gives its JSON member with a comma before it.
        paths: Fields and facts that it looks at.
        refers: Whether it also looks at other resources or at segments below.
        below: Whether it has nothing where no segment stands below.
        filled: Those of its fields of which only matters whether they have anything.
        costly: Whether making it costs more than remembering it.
    """

    make: Callable[[Any, str], str]
    paths: frozenset[tuple[str, int]]
    refers: bool
    below: bool
    filled: frozenset[tuple[str, int]] = frozenset()
    costly: bool = False


def arranged(elements: list[Element], often: frozenset[tuple[str, int]]) -> Callable[[Any, str], str]:
    """One function for all elements of a rule.

    Args:
        elements: In the order of the mapping.
        often: Fields whose words come again and again.
    """
    steady = [one for one in elements if not one.refers and one.paths <= often]
    other = [one for one in elements if one not in steady]
    possible = _possible(other)
    if not steady:
        return lambda context, zone: "".join([one(context, zone) for one in possible(context)])
    paths = frozenset().union(*(one.paths for one in steady))
    together = _remembered(lambda context, zone: "".join([one.make(context, zone) for one in steady]), paths)

    def make(context: Context, zone: str) -> str:
        return together(context, zone) + "".join([one(context, zone) for one in possible(context)])

    return make


def _remembered(
    make: Callable[[Any, str], str], paths: frozenset[tuple[str, int]], filled: frozenset[tuple[str, int]] = frozenset()
) -> Callable[[Any, str], str]:
    """What is made, by the words of the fields it looks at; `filled` as in `Element`."""
    words = words_of(paths, filled)
    known: Remembered[str] = Remembered(_REMEMBERED)
    find = known.get

    def remembered(context: Context, zone: str) -> str:
        key = (zone, words(context))
        text = find(key)
        if text is None:
            text = make(context, zone)
            if len(text) < _LONG and len(repr(key)) < _LONG:
                known.keep(key, text)
        return text

    return remembered


def _possible(elements: list[Element]) -> Callable[[Context], list[Callable[[Any, str], str]]]:
    """Those that can have something, by which fields are empty."""
    counted = Counter(segment for one in elements for segment, _ in one.paths)
    anchor = max(sorted(counted), key=counted.__getitem__, default="")
    skippable = [not one.refers and {name for name, _ in one.paths} == {anchor} and _silent(one) for one in elements]
    makes = [_remembered(one.make, one.paths, one.filled) if one.costly else one.make for one in elements]
    known: dict[Any, list[Callable[[Any, str], str]]] = {}

    def possible(context: Context) -> list[Callable[[Any, str], str]]:
        key = (not context["#"].below, *map(bool, context.get(anchor) or ()))
        found = known.get(key)
        if found is None:
            found = [
                make
                for one, make, can_be_skipped in zip(elements, makes, skippable, strict=True)
                if _can(one, can_be_skipped, key)
            ]
            if len(key) < _WIDE:
                if len(known) >= _PATTERNS:
                    known.clear()
                known[key] = found
        return found

    return possible


def _silent(element: Element) -> bool:
    """Whether it gives nothing where all its fields are empty."""
    try:
        return not element.make({"@known": {}, "@seen": {}}, "+00:00")
    except Rejected:
        return False


def _can(element: Element, skippable: bool, pattern: tuple[bool, ...]) -> bool:
    """Whether an element may have something, by whether nothing stands below and which fields are filled."""
    if element.below and pattern[0]:
        return False
    return not skippable or any(number + 1 < len(pattern) and pattern[number + 1] for _, number in element.paths)
