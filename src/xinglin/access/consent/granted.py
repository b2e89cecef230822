"""Who has granted something, of everybody who has consents: one walk over the consents, and no question per person.

Consents differ in their persons and dates and hardly in what they say. What one says is compiled once for each text
that is the same but for those two; what several of a person's say together is decided once for each combination.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from xinglin.access.consent.commitments import Kept, compiled, counts
from xinglin.access.consent.rule import Counted, Provision, Rule

__all__ = ["granting"]

_DATE = re.compile(rb'"dateTime":"[^"\\]*"')
_PATIENT = re.compile(rb'"patient":\{"reference":"Patient/(0|[1-9][0-9]{0,18})"\}')
_TEMPLATES = 4096
_Said = frozenset[tuple[int, bool]]


def granting(
    kept: Iterable[tuple[Kept, bytes | None]], decide: Callable[[int, tuple[Counted, ...]], bool]
) -> Iterator[int]:
    """The persons whose consents together grant something.

    Args:
        kept: Consents, each with what the ledger holds under its handle; in any order.
        decide: Whether a person's consents grant it; it must not depend on who the person is. It is asked once for
            each combination of consents that say the same.

    Raises:
        StorageError: A consent that is kept cannot be read.
    """
    # What the ledger wrote itself is canonical; reading a million of its values must not take minutes.
    from cbor2 import loads

    sayings = _Sayings()
    combinations: list[_Said] = [frozenset()]
    numbers: dict[_Said, int] = {combinations[0]: 0}
    steps: dict[tuple[int, int, bool], int] = {}
    # A number for each person takes a tenth of the memory that the consents themselves would.
    persons: dict[int, int] = {}
    for one, held in kept:
        saying, named = sayings.of(one.text)
        confirmed = counts(one, None if held is None else loads(held), named)
        if confirmed is None:
            continue
        step = (persons.get(one.person, 0), saying, confirmed)
        number = steps.get(step)
        if number is None:
            said = combinations[step[0]] | {(saying, confirmed)}
            number = steps[step] = numbers.setdefault(said, len(combinations))
            if number == len(combinations):
                combinations.append(said)
        persons[one.person] = number
    granted: dict[int, bool] = {}
    for person, number in persons.items():
        if number not in granted:
            rules = ((Rule(person, sayings.roots[saying]), confirmed) for saying, confirmed in combinations[number])
            granted[number] = decide(person, tuple(Counted("", rule, confirmed) for rule, confirmed in rules))
        if granted[number]:
            yield person


class _Sayings:
    """What consents say, each thing by a number."""

    def __init__(self) -> None:
        self.roots: list[Provision] = []
        self._numbers: dict[Provision, int] = {}
        self._known: dict[bytes, tuple[int, int]] = {}

    def of(self, text: bytes) -> tuple[int, int]:
        """The number of what a text says, and the person whom it names."""
        template, named = _template(text)
        known = self._known.get(template)
        if known is None:
            rule = compiled(template)
            number = self._numbers.setdefault(rule.root, len(self.roots))
            if number == len(self.roots):
                self.roots.append(rule.root)
            known = number, rule.person
            if len(self._known) >= _TEMPLATES:
                self._known.clear()
            self._known[template] = known
        return known if named is None else (known[0], named)


def _template(text: bytes) -> tuple[bytes, int | None]:
    """A consent's text with one date and one person for all, and the person; the text itself where that is not sure.

    Inside a string of JSON no quotation mark stands before a colon without a backslash, so the names are names.
    """
    found = _PATIENT.findall(text)
    if len(found) != 1 or text.count(b'"patient":') != 1 or text.count(b'"dateTime":') != 1:
        return text, None
    same = _PATIENT.sub(b'"patient":{"reference":"Patient/0"}', _DATE.sub(b'"dateTime":"2000"', text))
    return same, int(found[0])
