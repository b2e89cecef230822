"""Persons whose consents grant a request, found in one pass over all consents instead of one lookup per person.

Most consents differ only in person and date. Texts that are otherwise equal are compiled once, and each combination of
consents of one person is decided once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from xinglin.access.consent.commitments import StoredConsent, compiled, is_confirmed
from xinglin.access.consent.rule import ActiveConsent, Provision, Rule

__all__ = ["persons_granting"]

_DATE = re.compile(rb'"dateTime":"[^"\\]*"')
_PATIENT = re.compile(rb'"patient":\{"reference":"Patient/(0|[1-9][0-9]{0,18})"\}')
_TEMPLATES = 4096
_Combination = frozenset[tuple[int, bool]]


def persons_granting(
    kept: Iterable[tuple[StoredConsent, bytes | None]], decide: Callable[[int, tuple[ActiveConsent, ...]], bool]
) -> Iterator[int]:
    """Persons whose consents together grant a request.

    Args:
        kept: Stored consents in any order, each with the ledger's entry for its handle.
        decide: Whether a person's consents grant the request, independent of the person. Called once for each
            combination of equal consents.

    Raises:
        StorageError: A stored consent cannot be read.
    """
    # The ledger's own values are canonical; the fast decoder reads a million of them in seconds.
    from cbor2 import loads

    texts = _CompiledTexts()
    combinations: list[_Combination] = [frozenset()]
    numbers: dict[_Combination, int] = {combinations[0]: 0}
    steps: dict[tuple[int, int, bool], int] = {}
    # One number per person takes a tenth of the memory of the consents.
    persons: dict[int, int] = {}
    for one, held in kept:
        text, named = texts.of(one.text)
        confirmed = is_confirmed(one, None if held is None else loads(held), named)
        if confirmed is None:
            continue
        step = (persons.get(one.person, 0), text, confirmed)
        number = steps.get(step)
        if number is None:
            said = combinations[step[0]] | {(text, confirmed)}
            number = steps[step] = numbers.setdefault(said, len(combinations))
            if number == len(combinations):
                combinations.append(said)
        persons[one.person] = number
    granted: dict[int, bool] = {}
    for person, number in persons.items():
        if number not in granted:
            rules = ((Rule(person, texts.roots[text]), confirmed) for text, confirmed in combinations[number])
            granted[number] = decide(person, tuple(ActiveConsent("", rule, confirmed) for rule, confirmed in rules))
        if granted[number]:
            yield person


class _CompiledTexts:
    """Distinct compiled consents, each with a number."""

    def __init__(self) -> None:
        self.roots: list[Provision] = []
        self._numbers: dict[Provision, int] = {}
        self._known: dict[bytes, tuple[int, int]] = {}

    def of(self, text: bytes) -> tuple[int, int]:
        """The number of a text's compiled consent, and the `person_id` in the text."""
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
    """A consent's text with date and person replaced by constants, and the person; the unchanged text if in doubt.

    In JSON text an unescaped quotation mark before a colon ends a member name, so the patterns match member names only.
    """
    found = _PATIENT.findall(text)
    if len(found) != 1 or text.count(b'"patient":') != 1 or text.count(b'"dateTime":') != 1:
        return text, None
    same = _PATIENT.sub(b'"patient":{"reference":"Patient/0"}', _DATE.sub(b'"dateTime":"2000"', text))
    return same, int(found[0])
