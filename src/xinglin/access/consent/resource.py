"""FHIR R4 Consent: validate it, compile it to a rule, write its canonical form and the commitment to it.

Supported elements of Consent (https://hl7.org/fhir/R4/consent.html): `status`, `scope`, `category`, `patient`,
`dateTime`, `policy` or `policyRule`, and `provision` with `type`, `period`, `actor`, `action`, `purpose`, `class`,
`securityLabel` and nested provisions. Other elements that narrow a provision (`code`, `data`, `dataPeriod`) are
refused: a consent that is only partly supported must not apply at all.

A provision applies if all its elements match the request. Nested provisions that apply replace the result of the outer
one; among them a denial takes precedence over a permit. The result of the outermost provision is its `type`, or else
`policyRule`: OPTIN permits, OPTOUT denies.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from xinglin.access.consent.period import period_of
from xinglin.access.consent.rule import Provision, Rule
from xinglin.access.terms import data_classes
from xinglin.access.terms.purposes import SYSTEM, known
from xinglin.core.errors import BadInput

__all__ = ["SALT_BYTES", "canonical", "commitment", "compile_consent", "rule_of", "write_consent"]

SALT_BYTES = 32

_ACTION_SYSTEM = "http://terminology.hl7.org/CodeSystem/consentaction"
_ACTIONS = frozenset({"collect", "access", "use", "disclose", "correct"})
_SCOPE_SYSTEM = "http://terminology.hl7.org/CodeSystem/consentscope"
_SCOPES = frozenset({"patient-privacy", "research"})
_POLICY_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_POLICIES = {"OPTIN": True, "OPTOUT": False}
_TYPES = {"permit": True, "deny": False}
_UNDERSTOOD = frozenset(
    {"id", "type", "period", "actor", "action", "purpose", "class", "securityLabel", "provision"},
)
_PERSON = re.compile(r"[1-9][0-9]{0,18}|0")
_DEEPEST = 16
_LARGEST = 256 * 1024


def compile_consent(resource: Mapping[str, Any]) -> Rule:
    """Validate a Consent and compile it.

    Args:
        resource: The FHIR R4 resource as parsed JSON.

    Raises:
        BadInput: The Consent is invalid or uses elements that are not supported.

    Example:
        >>> rule = compile_consent(write_consent(17, "2026-03-01", permit=False, purposes=("HRESCH",)))
        >>> rule.person, rule.root.ever_denies()
        (17, True)
    """
    rule = rule_of(resource)
    canonical(resource)
    return rule


def rule_of(resource: Mapping[str, Any]) -> Rule:
    """Compile a Consent without checking its canonical form.

    Args:
        resource: The FHIR R4 resource as parsed JSON.

    Raises:
        BadInput: The Consent is invalid or uses elements that are not supported.
    """
    _must(resource.get("resourceType") == "Consent", "the resource is not a Consent")
    _must(resource.get("status") == "active", "the consent is not active")
    _must(not resource.get("modifierExtension"), "the consent has a modifier extension")
    _must(
        bool(_codes(resource.get("scope"), _SCOPE_SYSTEM) & _SCOPES), "the consent's scope is not privacy or research"
    )
    _must(bool(resource.get("category")), "the consent has no category")
    _must(isinstance(resource.get("dateTime"), str), "the consent has no dateTime")
    _must(bool(resource.get("policy") or resource.get("policyRule")), "the consent has no policy or policyRule")
    patient = resource.get("patient")
    reference = patient.get("reference") if isinstance(patient, Mapping) else None
    kind, _, person = str(reference).partition("/")
    _must(kind == "Patient" and bool(_PERSON.fullmatch(person)), "the consent's patient is not Patient/person_id")
    root = resource.get("provision", {})
    base = _codes(resource.get("policyRule"), _POLICY_SYSTEM) & set(_POLICIES)
    word = _POLICIES[base.pop()] if len(base) == 1 else None
    return Rule(int(person), _provision(root, word, 0))


def canonical(resource: Mapping[str, Any]) -> bytes:
    """The canonical JSON text of a Consent (RFC 8785), which the commitment covers.

    Args:
        resource: The FHIR R4 resource as parsed JSON.

    Raises:
        BadInput: There is no canonical form, or it is larger than 256 KiB.

    Example:
        >>> canonical({"b": 1, "a": "x"})
        b'{"a":"x","b":1}'
    """
    import rfc8785

    try:
        text = rfc8785.dumps(dict(resource))
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeError) as error:
        raise BadInput("the consent has no canonical form", remedy="use plain FHIR JSON") from error
    _must(len(text) <= _LARGEST, "the consent is larger than 256 KiB")
    return bytes(text)


def commitment(salt: bytes, text: bytes) -> bytes:
    """The commitment to a consent on the ledger: SHA-256 over the salt and the canonical text.

    Args:
        salt: 32 random bytes; they prevent guessing the text from its hash.
        text: Canonical text.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"the salt must have {SALT_BYTES} bytes")
    return hashlib.sha256(salt + text).digest()


def write_consent(
    person: int,
    day: str,
    *,
    permit: bool,
    purposes: tuple[str, ...] = (),
    narrowed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write a Consent with one provision.

    Args:
        person: `person_id`.
        day: Date or time of the consent, FHIR dateTime.
        permit: True to permit, false to deny.
        purposes: Purposes of use; empty for all.
        narrowed: Further elements of the provision: `period`, `actor`, `class`, …

    Returns:
        The FHIR R4 resource.
    """
    provision: dict[str, Any] = {"type": "permit" if permit else "deny", **(narrowed or {})}
    if purposes:
        provision["purpose"] = [{"system": SYSTEM, "code": code} for code in purposes]
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": _SCOPE_SYSTEM, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{person}"},
        "dateTime": day,
        "policyRule": {"text": "The region's rules of access"},
        "provision": provision,
    }


def _provision(found: object, word: bool | None, depth: int) -> Provision:
    if not isinstance(found, Mapping):
        raise BadInput("a provision of the consent is not a FHIR element")
    _must(depth <= _DEEPEST, "the consent's provisions are nested too deeply")
    _must(not set(found) - _UNDERSTOOD, "a provision of the consent has an element that is not supported")
    if "type" in found:
        _must(found["type"] in _TYPES, "a provision of the consent neither permits nor denies")
        word = _TYPES[found["type"]]
    _must(word is not None or depth == 0, "a nested provision of the consent has no type")
    types = _listed(found, "class", data_classes.TYPE_SYSTEM, data_classes.EVERY_CLASS - data_classes.SENSITIVE)
    labels = _listed(found, "securityLabel", data_classes.LABEL_SYSTEM, data_classes.SENSITIVE)
    # Classes are evaluated one by one, so "this type with this label" cannot be expressed.
    _must(types is None or labels is None, "a provision of the consent names both classes and labels")
    purposes = _listed(found, "purpose", SYSTEM, None)
    _must(purposes is None or all(known(code) for code in purposes), "a purpose of the consent is unknown")
    return Provision(
        permit=word,
        period=period_of(found.get("period")),
        names=_names(found.get("actor")),
        purposes=purposes,
        actions=_actions(found.get("action")),
        classes=types if labels is None else labels,
        exceptions=tuple(_provision(one, None, depth + 1) for one in _list(found.get("provision", []))),
    )


def _listed(found: Mapping[str, Any], name: str, system: str, allowed: frozenset[str] | None) -> frozenset[str] | None:
    """The codes of a list of Codings; None if the element is missing."""
    if name not in found:
        return None
    codes = set()
    for coding in _list(found[name]):
        _must(
            isinstance(coding, Mapping) and coding.get("system") == system and isinstance(coding.get("code"), str),
            f"a {name} of the consent does not use {system}",
        )
        codes.add(coding["code"])
    _must(bool(codes), f"a {name} of the consent is empty")
    _must(allowed is None or codes <= allowed, f"a {name} of the consent is unknown")
    return frozenset(codes)


def _names(actors: object) -> frozenset[str] | None:
    if actors is None:
        return None
    names = set()
    for actor in _list(actors):
        reference = actor.get("reference", {}).get("reference") if isinstance(actor, Mapping) else None
        _must(isinstance(reference, str) and "/" in reference, "an actor of the consent has no reference")
        names.add(str(reference))
    _must(bool(names), "an actor of the consent is empty")
    return frozenset(names)


def _actions(actions: object) -> frozenset[str] | None:
    if actions is None:
        return None
    codes: set[str] = set()
    for action in _list(actions):
        found = _codes(action, _ACTION_SYSTEM)
        _must(bool(found) and found <= _ACTIONS, "an action of the consent is unknown")
        codes |= found
    _must(bool(codes), "an action of the consent is empty")
    return frozenset(codes)


def _codes(concept: object, system: str) -> set[str]:
    """The codes of one system in a CodeableConcept."""
    codings = concept.get("coding", []) if isinstance(concept, Mapping) else []
    return {
        str(coding.get("code"))
        for coding in _list(codings)
        if isinstance(coding, Mapping) and coding.get("system") == system
    }


def _list(found: object) -> list[Any]:
    if not isinstance(found, list):
        raise BadInput("an element of the consent is not a list")
    return found


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise BadInput(otherwise, remedy="correct the Consent; nothing was stored")
