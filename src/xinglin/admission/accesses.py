"""The access log of a person: the audit log in a form that the person can read."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import LedgerUnavailable, NotFound

if TYPE_CHECKING:
    from xinglin.access.gate import Gate
    from xinglin.lake import Lake
    from xinglin.ledger import Ledger

__all__ = ["Look", "about", "emergencies", "looks_at"]


@dataclass(frozen=True)
class Look:
    """One decision.

    Args:
        at: When, ISO 8601 in UTC.
        who: Who asked, as the credential says; empty where it did not hold.
        roles: In which roles.
        institution: For which institution.
        action: What was asked for.
        purpose: Why (HL7 PurposeOfUse).
        permitted: Whether it was permitted.
        reason: Why it was permitted or refused.
        emergency: The reason given for break-glass access; empty for ordinary access.
        event: Identifier of the AuditEvent, by which it is proved.
        height: Block of the ledger that anchors it; None where none does yet.
    """

    at: str
    who: str
    roles: str
    institution: str
    action: str
    purpose: str
    permitted: bool
    reason: str
    emergency: str
    event: str
    height: int | None


def looks_at(gate: Gate, lake: Lake, person: int, ledger: Ledger | None) -> list[Look]:
    """Every decision about one person's records, oldest first; those of persons who were joined with this one too.

    Args:
        gate: Of the region.
        lake: Whose identity may be read.
        person: `person_id`.
        ledger: Where the log is anchored; None where it cannot be asked.
    """
    return _told(gate, _events(gate, lake, person), ledger)


def _events(gate: Gate, lake: Lake, person: int) -> list[bytes]:
    from xinglin.access.audit.recorded import micros_of
    from xinglin.identity import every_name

    found = (event for name in every_name(lake, {person}) for event in gate.events_of(name))
    return sorted(found, key=micros_of)


def emergencies(gate: Gate, ledger: Ledger | None) -> list[Look]:
    """All break-glass accesses to any person, oldest first.

    Args:
        gate: Of the region.
        ledger: Where the log is anchored; None where it cannot be asked.
    """
    return _told(gate, gate.log.emergencies(), ledger)


def about(gate: Gate, lake: Lake, event: str, person: int) -> None:
    """Refuse an event that is not about the person.

    Args:
        gate: Of the region.
        lake: Whose identity may be read.
        event: Identifier of an AuditEvent.
        person: `person_id`.

    Raises:
        NotFound: The log of the person has no such event.
    """
    known = (str(json.loads(text)["id"]) for text in _events(gate, lake, person))
    if event not in known:
        raise NotFound("the log of the person has no such event", source=event, remedy="xinglin access log names them")


def _told(gate: Gate, events: list[bytes], ledger: Ledger | None) -> list[Look]:
    gate.log.seal()
    heights = _heights(gate, ledger)
    looks = []
    for text in events:
        event = json.loads(text)
        asking: dict[str, Any] = next((one for one in event["agent"] if one.get("requestor")), {})
        details = {
            detail["type"]: detail.get("valueString", "")
            for entity in event["entity"]
            for detail in entity.get("detail", [])
        }
        looks.append(
            Look(
                at=event["recorded"],
                who=asking.get("who", {}).get("identifier", {}).get("value", ""),
                roles=" ".join(_code(role) for role in asking.get("role", [])),
                institution=_institution(event),
                action=details.get("action", ""),
                purpose=_code(event["purposeOfEvent"][0]) if "purposeOfEvent" in event else "",
                permitted=event["outcome"] == "0",
                reason=event["outcomeDesc"],
                emergency=details.get("break-glass", ""),
                event=event["id"],
                height=heights(event["id"]),
            )
        )
    return looks


def _institution(event: dict[str, Any]) -> str:
    names = (one["who"].get("identifier", {}) for one in event["agent"])
    return next((str(name["value"]) for name in names if name.get("system") == "urn:xinglin:institution"), "")


def _code(concept: dict[str, Any]) -> str:
    return str(concept["coding"][0]["code"])


def _heights(gate: Gate, ledger: Ledger | None) -> Any:
    """A function from an event's identifier to the height of the block that anchors its segment."""
    from xinglin.access.audit import segments
    from xinglin.ledger.keys import segment_key
    from xinglin.ledger.transactions import cbor

    seals = cache(lambda stream: segments.seals_of(gate.log.folder / stream))

    @cache
    def anchored(stream: str, place: int) -> int | None:
        if ledger is None:
            return None
        try:
            found = ledger.state(segment_key(stream, seals(stream)[place].root))
            logged = ledger.transaction(cbor.decode(found)["transaction"]) if found else None
        except LedgerUnavailable:
            return None
        return logged.height if logged else None

    def height(identifier: str) -> int | None:
        stream, _, number = identifier.partition("-")
        place = bisect_right(seals(stream), int(number), key=lambda seal: seal.number) - 1
        if place < 0 or int(number) >= seals(stream)[place].number + seals(stream)[place].count:
            return None
        return anchored(stream, place)

    return height
