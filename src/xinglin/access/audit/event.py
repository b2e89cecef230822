"""The AuditEvent of one decision, in the patterns of IHE BALP 1.1.3 (https://profiles.ihe.net/ITI/BALP/), FHIR R4.

| decision | pattern |
|---|---|
| one person's record is read | Patient Read |
| one person's record is read for research | Privacy Disclosure at the source |
| the mart is queried | Query |
| data are extracted | an export with a disclosure; names no patient, since it concerns a population |
| emergency access (break-glass) | Security Alert, Emergency Override Started, as in the FHIR standard's own example |
| anything else, and every refusal | Authorization Decision, by consent or by role only |

An event names the actor, the purpose, the decision and its reason, and the person by an opaque reference. It holds no
clinical value; the reason that a clinician gives for emergency access is stored as given.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from xinglin.access.credentials.actor import Actor
from xinglin.access.decisions.decision import BREAK_GLASS, Decision, Request, requested_classes
from xinglin.access.terms import data_classes, purposes

__all__ = ["EMERGENCY", "EventTemplate", "event_template"]

_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
_ROLE = "urn:xinglin:role"
EMERGENCY = "110127"
"""The DICOM code of an emergency override; marks emergency access in the log."""

# Placeholders; a NUL character cannot occur in JSON text.
_NAME, _HEIGHT = b"\x00person", b"\x00height"


@dataclass(frozen=True, slots=True, eq=False)
class _Pattern:
    """The BALP pattern of an event; `profile` is empty if the event does not conform to one."""

    kind: str
    type: tuple[str, str]
    subtypes: tuple[tuple[str, str], ...]
    action: str
    profile: str


_REST = ("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest")
_INTERACTION = "http://hl7.org/fhir/restful-interaction"
_DISCLOSE = ("http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "disclose")
_ALERT = (_DCM, "110113")
_AUTHZ = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"

_READ = _Pattern("read", _REST, ((_INTERACTION, "read"),), "R", "PatientRead")
_DISCLOSED = _Pattern("read", (_DCM, "110106"), (_DISCLOSE,), "R", "PrivacyDisclosure.Source")
_QUERY = _Pattern("query", _REST, ((_INTERACTION, "search"),), "E", "Query")
_EXPORT = _Pattern("query", (_DCM, "110106"), (_DISCLOSE,), "R", "")
_OVERRIDE = _Pattern("read", _ALERT, ((_DCM, EMERGENCY),), "E", "")
_BY_CONSENT = _Pattern("decision", _ALERT, ((_AUTHZ, "AuthZ-Consent"),), "E", "AuthZconsent")
_BY_ROLE = _Pattern("decision", _ALERT, ((_AUTHZ, "AuthZ-Role"),), "E", "")


class EventTemplate:
    """An event without its time, person and height.

    Args:
        text: The JSON text after the time, with placeholders for person and height.
    """

    __slots__ = ("_pieces", "_text")

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._pieces: tuple[int | None, list[bytes]] = (None, [])

    def render(self, person: bytes, height: int) -> bytes:
        """The event's JSON text after its time.

        Args:
            person: The person's pseudonym, 32 hex digits; empty if the event names no person.
            height: Ledger height of the consents that were used; -1 if the ledger was unavailable.
        """
        known, pieces = self._pieces
        if known != height:
            pieces = self._text.replace(_HEIGHT, b"%d" % height).split(_NAME)
            self._pieces = (height, pieces)
        return person.join(pieces)


def event_template(request: Request, decision: Decision, region: str) -> EventTemplate:
    """The template of the event of a decision.

    Args:
        request: The request.
        decision: The decision.
        region: The region's name.
    """
    pattern = _pattern(request, decision)
    head = _head(pattern, request.actor, request.purpose, decision.permit, decision.reason, region)
    return EventTemplate(b"%s,%s}" % (head, _tail(pattern, request, decision)))


def _pattern(request: Request, decision: Decision) -> _Pattern:
    if not decision.permit or request.intent.action not in {"read", "ask", "extract", "program"}:
        consented = bool(decision.consents) and request.intent.person is not None
        return _BY_CONSENT if consented else _BY_ROLE
    if decision.reason == BREAK_GLASS:
        return _OVERRIDE
    if request.intent.action == "read":
        return _DISCLOSED if purposes.within(request.purpose, "HRESCH") else _READ
    return _QUERY if request.intent.action in {"ask", "program"} else _EXPORT


@lru_cache(maxsize=4096)
def _head(pattern: _Pattern, actor: Actor | None, purpose: str, permit: bool, reason: str, region: str) -> bytes:
    """The part that is the same for one actor and reason, without braces."""
    import orjson

    who = {"identifier": {"system": "urn:xinglin:region", "value": region}}
    event: dict[str, Any] = {"meta": {"profile": [_PROFILES + pattern.profile]}} if pattern.profile else {}
    event |= {
        "type": _coding(*pattern.type),
        "subtype": [_coding(*one) for one in pattern.subtypes],
        "action": pattern.action,
        "outcome": "0" if permit else "8",
        "outcomeDesc": reason,
        "agent": _agents(pattern, actor, who),
        "source": {
            "observer": who,
            "type": [_coding("http://terminology.hl7.org/CodeSystem/security-source-type", "6")],
        },
    }
    if purposes.known(purpose):
        event["purposeOfEvent"] = [{"coding": [_coding(purposes.SYSTEM, purpose)]}]
    return orjson.dumps(event)[1:-1]


def _agents(pattern: _Pattern, actor: Actor | None, who: dict[str, Any]) -> list[dict[str, Any]]:
    network = {"address": "localhost", "type": "1"}
    user: dict[str, Any] = {"type": _concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP")}
    organisation: dict[str, Any] = {"display": "unknown"}
    if actor is None:
        user["who"] = {"display": "unknown"}
    else:
        user["role"] = [_concept(_ROLE, role) for role in actor.roles]
        user["who"] = {"identifier": {"system": f"urn:xinglin:actor:{actor.institution}", "value": actor.id}}
        user["policy"] = [f"urn:ietf:params:oauth:jti:{actor.credential}"]
        organisation = {"identifier": {"system": "urn:xinglin:institution", "value": actor.institution}}
    user["requestor"] = True
    provider = {
        "type": _concept("http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PROV"),
        "who": organisation,
        "requestor": False,
    }
    client = {"who": {"display": "xinglin"}, "requestor": False, "network": network}
    if pattern.kind == "decision":
        server = "http://terminology.hl7.org/CodeSystem/extra-security-role-type"
        authorizer = {"type": _concept(server, "authserver"), "who": who, "requestor": False}
        return [{"type": _concept(_DCM, "110150"), **client}, user, provider, authorizer]
    # DICOM: the requester is the source of a query, and the destination of data that are read.
    asks, answers = ("110153", "110152") if pattern.kind == "query" and pattern is _QUERY else ("110152", "110153")
    server_agent = {"type": _concept(_DCM, answers), "who": who, "requestor": False, "network": network}
    return [{"type": _concept(_DCM, asks), **client}, server_agent, user, provider]


def _tail(pattern: _Pattern, request: Request, decision: Decision) -> bytes:
    """The entities: the person, the requested data, the consents that applied."""
    details = _details(request.intent.action, requested_classes(request.intent), decision.gives, request.emergency)
    details += b'{"type":"ledger-height","valueString":"%s"}]' % _HEIGHT
    named = request.intent.person is not None
    entities = []
    if named:
        entities.append(_PERSON % _NAME + (b"}" if pattern.kind == "read" else details + b"}"))
    if pattern.kind == "read":
        entities.append(_RECORD % (_NAME if named else b"") + details + b"}")
    if pattern.kind == "query":
        words = " ".join([request.intent.action, *sorted(request.intent.reads)])
        entities.append(_ASKED % base64.b64encode(words.encode()))
    if not named:
        entities.append(_REGION + details + b"}")
    entities += [_CONSENT % handle.encode() for handle in decision.consents]
    return b'"entity":[' + b",".join(entities) + b"]"


@lru_cache(maxsize=4096)
def _details(action: str, asked: frozenset[str], gives: frozenset[str], emergency: str) -> bytes:
    """Requested and released classes, as a JSON list without its closing bracket."""
    import orjson

    found = [{"type": "action", "valueString": action}]
    found += [
        {"type": name, "valueString": words} for name, words in (("asked", _words(asked)), ("gives", _words(gives)))
    ]
    if emergency:
        found.append({"type": "break-glass", "valueString": emergency})
    return b',"detail":' + orjson.dumps(found)[:-1] + b","


def _words(classes: frozenset[str]) -> str:
    if classes == data_classes.EVERY_CLASS:
        return "everything"
    return " ".join(sorted(classes)).encode("utf-8", "backslashreplace").decode() or "nothing"


def _coding(system: str, code: str) -> dict[str, str]:
    return {"system": system, "code": code}


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [_coding(system, code)]}


_PERSON = (
    b'{"what":{"reference":"Patient/%s"},'
    b'"type":{"system":"http://terminology.hl7.org/CodeSystem/audit-entity-type","code":"1"},'
    b'"role":{"system":"http://terminology.hl7.org/CodeSystem/object-role","code":"1"}'
)
_RECORD = (
    b'{"what":{"identifier":{"system":"urn:xinglin:record","value":"%s"}},'
    b'"type":{"system":"http://terminology.hl7.org/CodeSystem/audit-entity-type","code":"2"},'
    b'"role":{"system":"http://terminology.hl7.org/CodeSystem/object-role","code":"4"}'
)
_ASKED = (
    b'{"type":{"system":"http://terminology.hl7.org/CodeSystem/audit-entity-type","code":"2"},'
    b'"role":{"system":"http://terminology.hl7.org/CodeSystem/object-role","code":"24"},"query":"%s"}'
)
_REGION = (
    b'{"what":{"display":"region"},'
    b'"type":{"system":"http://terminology.hl7.org/CodeSystem/audit-entity-type","code":"4"}'
)
_CONSENT = (
    b'{"what":{"reference":"Consent/%s"},"type":{"system":"http://hl7.org/fhir/resource-types","code":"Consent"}}'
)
