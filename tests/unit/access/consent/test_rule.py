"""The compiled rule against a plain interpreter that asks for one class at a time and reads the Consent itself."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from xinglin.access.consent.resource import compile_consent, write_consent
from xinglin.access.consent.rule import Question
from xinglin.access.terms.data_classes import LABEL_SYSTEM, TYPE_SYSTEM
from xinglin.access.terms.purposes import PARENTS, SYSTEM

CLASSES = ("Observation", "Condition", "Patient", "HIV", "PSY")
NAMES = ("Practitioner/lin", "Organization/mercy", "Organization/other")
DAYS = ("2026-01-01", "2026-02-01", "2026-03-01")
EPOCHS = {"2026-01-01": 1767225600, "2026-02-01": 1769904000, "2026-03-01": 1772323200}


def says(provision: dict[str, Any], base: bool | None, question: Question, one: str) -> bool | None:
    """True for permit, False for deny, None for nothing: one class, straight from the FHIR elements."""
    if "period" in provision:
        begin = EPOCHS[provision["period"]["start"]]
        end = EPOCHS[provision["period"]["end"]] + 86_400
        if not begin <= question.moment < end:
            return None
    if "actor" in provision and not {each["reference"]["reference"] for each in provision["actor"]} & question.names:
        return None
    if "action" in provision:
        codes = {coding["code"] for action in provision["action"] for coding in action["coding"]}
        if not codes & question.actions:
            return None
    if "purpose" in provision and not {each["code"] for each in provision["purpose"]} & question.purposes:
        return None
    for name in ("class", "securityLabel"):
        if name in provision and one not in {each["code"] for each in provision[name]}:
            return None
    words = [says(nested, None, question, one) for nested in provision.get("provision", [])]
    if False in words:
        return False
    if True in words:
        return True
    return {"permit": True, "deny": False}.get(provision.get("type", ""), base)


def codings(system: str, codes: tuple[str, ...]) -> st.SearchStrategy[list[dict[str, str]]]:
    return st.lists(st.sampled_from(codes), min_size=1, max_size=3).map(
        lambda found: [{"system": system, "code": code} for code in found]
    )


narrowings = st.fixed_dictionaries(
    {},
    optional={
        "period": st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS)).map(
            lambda days: {"start": min(days), "end": max(days)}
        ),
        "actor": st.lists(st.sampled_from(NAMES), min_size=1, max_size=2).map(
            lambda names: [{"role": {}, "reference": {"reference": name}} for name in names]
        ),
        "action": st.sampled_from(["access", "disclose"]).map(
            lambda code: [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": code}]}]
        ),
        "purpose": codings(SYSTEM, tuple(PARENTS)),
    },
)
classes = st.one_of(
    st.just({}),
    codings(TYPE_SYSTEM, CLASSES[:3]).map(lambda found: {"class": found}),
    codings(LABEL_SYSTEM, CLASSES[3:]).map(lambda found: {"securityLabel": found}),
)
types = st.sampled_from(["permit", "deny"]).map(lambda word: {"type": word})


def merged(parts: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}


leaves = st.tuples(types, narrowings, classes).map(merged)
nested = st.recursive(
    leaves,
    lambda below: st.tuples(
        types, narrowings, classes, st.lists(below, min_size=1, max_size=3).map(lambda found: {"provision": found})
    ).map(merged),
    max_leaves=6,
)
questions = st.builds(
    Question,
    st.sampled_from([EPOCHS[day] + extra for day in DAYS for extra in (-1, 0, 86_399, 86_400)]),
    st.frozensets(st.sampled_from(NAMES)),
    st.frozensets(st.sampled_from(list(PARENTS))),
    st.sampled_from([frozenset({"access", "use"}), frozenset({"disclose", "use"}), frozenset()]),
    st.frozensets(st.sampled_from(CLASSES), min_size=1),
)


@settings(max_examples=500, deadline=None)
@given(nested, questions, st.sampled_from([None, "OPTIN", "OPTOUT"]))
def test_a_compiled_consent_says_what_a_plain_reading_says(
    root: dict[str, Any], question: Question, policy: str | None
) -> None:
    resource = write_consent(1, "2026-01-01", permit=True) | {"provision": root}
    base = None
    if policy:
        del root["type"]
        base = policy == "OPTIN"
        resource["policyRule"] = {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": policy}]
        }
    opinion = compile_consent(resource).root.answer(question)
    for one in question.classes:
        word = True if one in opinion.permits else False if one in opinion.denies else None
        assert word == says(root, base, question, one)
    assert not opinion.permits & opinion.denies
    assert opinion.permits | opinion.denies <= question.classes


@given(nested, questions)
def test_what_denies_is_known_to_deny(root: dict[str, Any], question: Question) -> None:
    resource = write_consent(1, "2026-01-01", permit=True) | {"provision": root}
    rule = compile_consent(resource)
    assert rule.root.ever_denies() or not rule.root.answer(question).denies
