"""Who grants something is found by one walk over the consents, and is who would be found person by person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.unit.access.conftest import NOW, Region
from xinglin.access.consent.commitments import GRANTED, PUTTING, WITHDRAWING, WITHDRAWN, StoredConsent, active_consent
from xinglin.access.consent.granted import persons_granting
from xinglin.access.consent.resource import canonical, commitment, write_consent
from xinglin.access.consent.rule import ActiveConsent, Rule
from xinglin.access.credentials.actor import Actor
from xinglin.access.decisions.decision import Facts, Request, decide
from xinglin.core.errors import StorageError
from xinglin.core.intent import Intent
from xinglin.ledger.keys import consent_key
from xinglin.ledger.transactions import cbor

PURPOSES = [(), ("HRESCH",), ("TREAT",), ("HRESCH", "PUBHLTH")]
NARROWED: list[Mapping[str, Any]] = [
    {},
    {"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Condition"}]},
    {"period": {"end": "2026-02-01"}},
]
CONSENT = some.tuples(
    some.integers(0, 5),
    some.sampled_from(["2026-02-01", "2026-02-02", "2026-02-02T10:00:00Z"]),
    some.booleans(),
    some.sampled_from(PURPOSES),
    some.sampled_from(NARROWED),
    some.sampled_from([PUTTING, GRANTED, WITHDRAWING, WITHDRAWN]),
    some.sampled_from(["held", "withdrawn", "other", "nothing", "forged", "moved"]),
)


class Held(dict[bytes, bytes]):
    """What a ledger holds."""

    state = dict[bytes, bytes].get


def made(number: int, words: tuple[Any, ...]) -> tuple[StoredConsent, bytes | None]:
    person, day, permit, purposes, narrowed, state, how = words
    text = canonical(write_consent(person, day, permit=permit, purposes=purposes, narrowed=narrowed))
    salt = bytes(32)
    held: dict[str, Any] = {"commitment": commitment(salt, text), "withdrawn": how == "withdrawn"}
    if how == "other":
        held["commitment"] = bytes(32)
    if how == "forged":
        text = text.replace(b'"deny"', b'"permit"') if not permit else text + b" "
    kept = StoredConsent(f"{number:032x}", person + (how == "moved"), salt, text, held["commitment"], state)
    if how == "other":
        kept = StoredConsent(kept.handle, kept.person, salt, text, commitment(salt, text), state)
    return kept, None if how == "nothing" else cbor.encode(held)


@given(some.lists(CONSENT, max_size=12))
def test_it_is_who_would_be_found_person_by_person(words: list[tuple[Any, ...]]) -> None:
    actor = Actor("ana", ("analyst",), "mercy", None, NOW, "key", "credential")
    asked: list[int] = []

    def decided(person: int, consents: tuple[ActiveConsent, ...]) -> bool:
        asked.append(person)
        intent = Intent("read", purpose="HRESCH", person=person)
        return decide(Request(actor, intent), Facts(NOW.timestamp(), consents=consents)).permit

    kept = [made(number, one) for number, one in enumerate(words)]
    ledger: Any = Held({consent_key(one.handle): held for one, held in kept if held is not None})
    expected = set()
    for person in {one.person for one, _ in kept}:
        each = tuple(found for one, _ in kept if one.person == person and (found := active_consent(one, ledger)))
        if each and decided(person, each):
            expected.add(person)
    asked.clear()
    assert set(persons_granting(kept, decided)) == expected
    assert len(asked) <= len({one.person for one, _ in kept})


def test_what_says_the_same_is_decided_once_however_many_say_it() -> None:
    kept = [made(n, (n, f"2026-02-{n % 28 + 1:02d}", n % 2 == 0, ("HRESCH",), {}, GRANTED, "held")) for n in range(200)]
    asked: list[int] = []

    def permits(person: int, consents: tuple[ActiveConsent, ...]) -> bool:
        asked.append(person)
        return all(one.confirmed and one.rule.root.permit for one in consents)

    assert list(persons_granting(kept, permits)) == list(range(0, 200, 2))
    assert len(asked) == 2


def test_a_text_that_speaks_of_persons_and_dates_elsewhere_is_read_as_a_whole() -> None:
    """Names of elements inside strings, and more of them than one, are not taken for the consent's own."""
    plain = write_consent(7, "2026-02-01", permit=True)
    tricky = [
        {**plain, "policyRule": {"text": '"patient":{"reference":"Patient/9"}'}},
        {**plain, "extension": [{"url": "x", "valueReference": {"patient": {"reference": "Patient/9"}}}]},
        {**plain, "sourceReference": {"display": 'a "dateTime":"2001" b'}},
        {**plain, "extension": [{"url": "x", "dateTime": "2001"}]},
    ]
    said: list[Rule] = []

    def note(person: int, consents: tuple[ActiveConsent, ...]) -> bool:
        said.extend(one.rule for one in consents)
        return all(one.confirmed for one in consents)

    for number, resource in enumerate(tricky):
        text = canonical(resource)
        kept = StoredConsent(f"{number:032x}", 7, bytes(32), text, commitment(bytes(32), text), GRANTED)
        held = cbor.encode({"commitment": kept.commitment, "withdrawn": False})
        assert list(persons_granting([(kept, held)], note)) == [7], json.dumps(resource)
    assert {rule.person for rule in said} == {7}


def test_a_consent_that_cannot_be_read_stops_it() -> None:
    kept = StoredConsent("0" * 32, 5, bytes(32), b'{"resourceType":"Consent"}', bytes(32), GRANTED)
    with pytest.raises(StorageError, match="cannot be read"):
        list(persons_granting([(kept, None)], lambda *_: True))


def test_the_store_gives_each_consent_with_what_the_ledger_holds(region: Region) -> None:
    for person in range(20):
        resource = write_consent(person, "2026-02-01", permit=True)
        kept = region.gate.consents.put(resource, region.ledger, region.signer)
        if person % 4 == 0:
            region.gate.consents.withdraw(kept.handle, region.ledger, region.signer)
    found = list(region.gate.consents.with_ledger_state(region.ledger))
    assert sorted(one.person for one, _ in found) == [person for person in range(20) if person % 4]
    assert all(held == region.ledger.state(consent_key(one.handle)) is not None for one, held in found)
    assert [held for _, held in region.gate.consents.with_ledger_state(None)] == [None] * 15
