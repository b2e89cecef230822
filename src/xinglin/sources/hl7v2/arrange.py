"""The elements of a rule in the order that costs least, message after message.

Three observations make a message cheap. Most fields of a segment are empty, and always the same ones: so the elements
that can have something are looked up by the pattern of empty fields. Some fields (a test, its unit, its reference
range) come again and again with the same words: what depends on them alone is remembered by these words. And the rest,
a value and its moment, is little.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from xinglin.sources.hl7v2.tree import Context
from xinglin.sources.record import Rejected

__all__ = ["Element", "arranged"]

_REMEMBERED = 2_048
_LONG = 800
_WIDE = 100


class Element(NamedTuple):
    """One element of a resource.

    Args:
        make: Gives its JSON member with a comma before it.
        paths: Fields and facts that it looks at.
        refers: Whether it also looks at other resources or at segments below.
        below: Whether it has nothing where no segment stands below.
    """

    make: Callable[[Any, str], str]
    paths: frozenset[tuple[str, int]]
    refers: bool
    below: bool


def arranged(elements: list[Element], often: frozenset[tuple[str, int]]) -> Callable[[Any, str], str]:
    """One function for all elements of a rule.

    Args:
        elements: In the order of the mapping.
        often: Fields whose words come again and again.
    """
    steady = [one for one in elements if not one.refers and one.paths <= often]
    other = [one for one in elements if one not in steady]
    remembered = _remembered(steady) if steady else None
    possible = _possible(other)

    def make(context: Context, zone: str) -> str:
        found = [one(context, zone) for one in possible(context)]
        return remembered(context, zone) + "".join(found) if remembered else "".join(found)

    return make


def _remembered(elements: list[Element]) -> Callable[[Context, str], str]:
    """Their members by the words of the fields they look at."""
    paths = sorted(frozenset().union(*(one.paths for one in elements)))
    by_segment = [
        (name, [number for segment, number in paths if segment == name]) for name in sorted({p[0] for p in paths})
    ]
    known: dict[tuple[str, ...], str] = {}

    def make(context: Context, zone: str) -> str:
        words = [zone]
        for name, numbers in by_segment:
            fields = context.get(name)
            if fields is None:
                words.append("")
            elif name[0] == "@":
                words.append(fields)
            else:
                size = len(fields)
                words += [fields[number] if number < size else "" for number in numbers]
        key = tuple(words)
        text = known.get(key)
        if text is None:
            text = "".join([one.make(context, zone) for one in elements])
            if sum(map(len, words)) < _LONG:
                if len(known) >= _REMEMBERED:
                    known.clear()
                known[key] = text
        return text

    return make


def _possible(elements: list[Element]) -> Callable[[Context], list[Callable[[Any, str], str]]]:
    """Those that can have something, by which fields are empty."""
    counted = Counter(segment for one in elements for segment, _ in one.paths)
    anchor = max(sorted(counted), key=counted.__getitem__, default="")
    skippable = [
        one for one in elements if not one.refers and {name for name, _ in one.paths} == {anchor} and _silent(one)
    ]
    known: dict[Any, list[Callable[[Any, str], str]]] = {}

    def possible(context: Context) -> list[Callable[[Any, str], str]]:
        fields = context.get(anchor) or ()
        key = (bool(context["#"].below), *[one != "" for one in fields])
        found = known.get(key)
        if found is None:
            found = [one.make for one in elements if _can(one, one in skippable, key)]
            if len(key) < _WIDE:
                if len(known) >= _REMEMBERED:
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
    """Whether an element may have something, by whether anything stands below and which fields are filled."""
    if element.below and not pattern[0]:
        return False
    return not skippable or any(number + 1 < len(pattern) and pattern[number + 1] for _, number in element.paths)
