"""One message made into FHIR resources: every segment that can be used gives its resources or a reason why not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

from xinglin.core.fhir_times import microseconds
from xinglin.sources.fhir import check
from xinglin.sources.hl7v2.message.parse import Message, Segment
from xinglin.sources.hl7v2.message.tree import Context, Node, grow
from xinglin.sources.hl7v2.rules.compile import Rule
from xinglin.sources.hl7v2.rules.load import Compiled, Named, Plan, Step, compiled
from xinglin.sources.hl7v2.rules.memo import Remembered
from xinglin.sources.hl7v2.rules.times import zone_of
from xinglin.sources.hl7v2.unread import Unread, taken_out, told_of
from xinglin.sources.limits import Limits
from xinglin.sources.record import Record, Rejected, Resource

__all__ = ["Converted", "convert", "names_nobody", "understand"]

_SINGLE = frozenset(
    (
        "NM",
        "SN",
        "NR",
        "NA",
        "MA",
        "CE",
        "CF",
        "CNE",
        "CWE",
        "IS",
        "ID",
        "CQ",
        "DR",
        "DT",
        "TS",
        "DTM",
        "TM",
        "ED",
        "RP",
    )
)
"""Types of OBX-5 (OBX-2) of which each repetition is a value."""
_META = ',"meta":{"lastUpdated":'
_MOST_UNREAD = 20
_REMEMBERED = 4_096
_LONG = 2_000


@dataclass
class Converted:
    """What became of a message.

    Args:
        kind: Type and event, such as ``ADT^A01``.
        records: Its resources, and the segments that were set aside.
        unused: Names of the segments that the mapping makes nothing of, with their number.
    """

    kind: str
    records: list[Record] = field(default_factory=list)
    unused: Counter[str] = field(default_factory=Counter)


def understand(message: Message, mapping: str | None = None) -> str:
    """The type and event of a message, such as ``ADT^A01``.

    Where MSH-9 says no event, EVN-1 does, or MSH-9.3, or the type has only one.

    Raises:
        Rejected: missing-type, unsupported-message or unsupported-version.

    Example:
        >>> from xinglin.sources.hl7v2.message.parse import parse
        >>> understand(parse(b"MSH|^~\\\\&|||||||ADT||P|2.3\\rEVN|A08"))
        'ADT^A08'
    """
    known = compiled(mapping)
    parts = [*message.header(9).split("^"), "", ""][:3]
    family, event = parts[0].strip().upper(), parts[1].strip().upper()
    if not family:
        raise Rejected("missing-type", "expected a message type at MSH-9")
    if not event:
        event = next((one[1].strip() for one in message.segments if one[0] == "EVN" and len(one) > 1), "")
        event = event or parts[2].partition("_")[2] or (known.events(family) or [""])[0]
    version = message.header(12).split("^")[0].strip()
    if version and version[0] != "2":
        raise Rejected("unsupported-version", "expected a version 2.1 to 2.9 at MSH-12")
    if known.plan(f"{family}^{event}") is None:
        raise Rejected("unsupported-message", "expected a message type and event of the mapping at MSH-9")
    return f"{family}^{event}"


def convert(message: Message, raw: bytes, position: int, limits: Limits, mapping: str | None = None) -> Converted:
    """The resources of a message.

    Args:
        message: Taken apart.
        raw: As received; tells apart messages without a control id.
        position: Number of the message in its file.
        limits: What is too large.
        mapping: YAML of the site's mapping file.

    Raises:
        Rejected: Its type is not known; then nothing is made of it.
    """
    known = compiled(mapping)
    plan = known.plan(understand(message, mapping))
    if plan is None:
        raise AssertionError("a message that is understood has a plan")
    if names_nobody(message, plan.name, mapping):
        sender = f"{message.header(3)}|{message.header(4)}"
        detail = f"expected what identifies the patient at PID-3, in message {message.header(10)} from {sender}"
        raise Rejected("no-patient", detail)
    zone = zone_of(message.header(7).split("^")[0]) or known.zone
    work = _Work(known, plan, zone, position, limits)
    root = grow(_apart(message.segments), known.parents, known.panels)
    root.see({**plan.facts, "@seen": {}, "@known": {}, "@digest": _digest(message, raw)}, known.refer(zone))
    work.meta = work._meta(_updated(message, zone))
    work.walk(root)
    root.forget()
    for stray in message.strays:
        rejected = Rejected("not-a-segment", "expected three letters and a field separator at the beginning of a line")
        work.done.records.append(Record(position, rejected, stray.encode()))
    return work.done


def names_nobody(message: Message, name: str, mapping: str | None = None) -> bool:
    """Whether a message brings results and nothing in it identifies their patient.

    Args:
        message: Taken apart.
        name: From `understand`.
        mapping: YAML of the site's mapping file.

    Example:
        >>> from xinglin.sources.hl7v2.message.parse import parse
        >>> header = b"MSH|^~\\\\&|||||||ORU^R01|7|P|2.5\\r"
        >>> [names_nobody(parse(header + one), "ORU^R01") for one in (b"PID|1||47\\rOBX|1", b"PID|1\\rOBX|1", b"NTE|1")]
        [False, True, False]
    """
    known = compiled(mapping)
    plan = known.plan(name)
    if plan is None or "Patient" not in plan.mentions or not any(one[0] in ("OBX", "OBR") for one in message.segments):
        return False
    required = known.rule("Patient").required
    people = [{"PID": segment} for segment in message.segments if segment[0] == "PID"]
    return not any(make(context, "") for context in people for _, make in required)


def _apart(segments: list[Segment]) -> list[Segment]:
    """An OBX for every repetition of OBX-5, each of which is a value (v2.5.1, 7.4.2.5); repeated text is lines."""
    found: list[Segment] = []
    for segment in segments:
        if segment[0] == "OBX" and len(segment) > 5 and "~" in segment[5] and segment[2] in _SINGLE:
            values = [one for one in segment[5].split("~", 1_000) if one.strip("^& ")]
            found += [[*segment[:5], value, *segment[6:]] for value in values] or [segment]
        else:
            found.append(segment)
    return found


def _digest(message: Message, raw: bytes) -> str:
    return "" if message.header(10) else sha256(raw).hexdigest()


def _updated(message: Message, zone: str) -> str:
    from xinglin.sources.hl7v2.rules.times import instant

    try:
        return instant(message.header(7).split("^")[0], zone)
    except Rejected:
        return ""


class _Work:
    """One message under way."""

    def __init__(self, known: Compiled, plan: Plan, zone: str, position: int, limits: Limits) -> None:
        self.known = known
        self.plan = plan
        self.zone = zone
        self.position = position
        self.limits = limits
        self.named = known.named
        self.meta = ""
        self.done = Converted(plan.name)
        self.made: dict[str, tuple[str, int]] = {}
        self.mentioned: set[str] = set()

    def walk(self, node: Node) -> None:
        """What stands below first, so that a report knows its results."""
        for below in node.below:
            self.walk(below)
            if below.made:
                node.made += below.made
        name, segment = node.name, node.segment
        if not (len(segment) > 1 and segment[1]) and not any(segment[1:]):
            return
        steps = self.plan.steps.get(name)
        if steps is None:
            if name not in _READ_BY_OTHERS:
                self.done.unused[name] += 1
        elif not node.part:
            self._make(steps, node)
        for named in self.named.get(name, ()):
            place = named.field
            fields = segment if named.segment == name else node.context.get(named.segment, ())
            if place < len(fields) and fields[place]:
                self._name(named, node)

    def _make(self, steps: tuple[Step, ...], node: Node) -> None:
        context, zone = node.context, self.zone
        for step in steps:
            rule = step.rule
            try:
                if step.words is not None:
                    found = self._remembered(step, step.words(context), node)
                elif rule.needed is None or rule.needed(context, zone):
                    found = self._resource(step, context)
                else:
                    continue
            except Rejected as rejected:
                bare = Rejected(rejected.reason, rejected.detail)  # its traceback would hold the whole message
                self.done.records.append(Record(self.position, bare, "|".join(node.segment).encode()))
                continue
            if found is not None:
                self._keep(found, rule, step.mention, node)

    def _keep(self, found: Resource, rule: Rule, mention: bool, node: Node) -> None:
        name = f"{found.resource_type}/{found.resource_id}"
        record, records = Record(self.position, found, b"", mention=mention), self.done.records
        earlier = self.made.get(name)
        if earlier is None:
            self.made[name] = (rule.name, len(records))
        elif earlier[0] != rule.name:
            records[earlier[1]] = record  # a merge into itself: the record that stays is the one that counts
            return
        node.made.append(name)
        records.append(record)

    def _resource(self, step: Step, context: Context) -> Resource | None:
        rule, mention, zone = step.rule, step.mention, self.zone
        for place, make in rule.required:
            if not make(context, zone):
                raise Rejected("missing-element", f"expected a value at {place}")
        if step.told:
            resource_id = context[step.told][len(rule.resource_type) + 15 : -2]  # {"reference":"<type>/<id>"}
        else:
            resource_id = rule.identify(context, zone)
        if not resource_id:
            if mention or rule.optional:
                return None
            raise Rejected("missing-identifier", f"expected what identifies the {rule.name}")
        meta, made, unread = self._elements(step, context)
        text = f'{{"resourceType":"{rule.resource_type}","id":"{resource_id}"{meta}{made}}}'.encode()
        if unread or not (rule.proven and self.known.unchanged):
            return check(text, self.limits)
        # What the package's own rules make is valid because its parts are: numbers, days and texts were checked.
        if len(text) > self.limits.resource_bytes:
            raise Rejected("too-large", f"expected at most {self.limits.resource_bytes} bytes")
        patient_id = context.get("!Patient", "")[22:-2] or None
        return Resource(rule.resource_type, resource_id, patient_id, text, microseconds(meta[len(_META) + 1 : -2]))

    def _elements(self, step: Step, context: Context) -> tuple[str, str, bool]:
        """Meta and elements of a resource, and whether a field of it could not be read.

        A field that cannot be read costs the field: it is taken out of the message, kept in an extension, and set
        aside as a record of its own.
        """
        rule, zone = step.rule, self.zone
        unread: list[Unread] = []
        while True:
            try:
                updated = "" if step.mention or rule.updated is None else rule.updated(context, zone)
                made = rule.make(context, zone)
                break
            except Rejected as rejected:
                found = taken_out(context, rejected) if len(unread) < _MOST_UNREAD else None
                if found is None:
                    raise
                unread.append(found)
                detail = f"{rejected.detail} at {found.place}; what else the message says was landed"
                record = Record(self.position, Rejected(rejected.reason, detail), found.segment.encode())
                self.done.records.append(record)
        meta = "" if step.mention else self._meta(updated)
        return meta, told_of(made, unread, rule.simple_elements) if unread else made, bool(unread)

    def _meta(self, updated: str) -> str:
        """A patient told again in the same words is no new version where the message says when it was last changed."""
        return f"{_META}{updated}}}" if updated else self.meta

    def _remembered(self, step: Step, words: Any, node: Node) -> Resource | None:
        """The same patient is mentioned by many messages in the same words."""
        key = (step.mark, self.zone, words)
        found = _MENTIONS.get(key)
        if found is not None:
            return found
        rule, context = step.rule, node.context
        if rule.needed is not None and not rule.needed(context, self.zone):
            return None
        told = len(self.done.records)
        made = self._resource(step, context)
        if made is not None and len(made.text) < _LONG and len(self.done.records) == told:
            _MENTIONS.keep(key, made)
        return made

    def _name(self, named: Named, node: Node) -> None:
        for text in named.texts(node.context):
            make = _named if len(text) < _LONG else _named.__wrapped__
            found = make(named, text, self.zone, self.limits)
            if found is None:
                continue
            name = f"{found.resource_type}/{found.resource_id}"
            if name not in self.mentioned and name not in self.made:
                self.mentioned.add(name)
                self.done.records.append(Record(self.position, found, b"", mention=True))


_MENTIONS: Remembered[Resource] = Remembered(2 * _REMEMBERED)
_READ_BY_OTHERS = {"EVN", "PV2", "PD1", "ORC", "RXR", "NTE", "TQ1", "AIS", "AIP", "AIL", "RGS"}


@lru_cache(maxsize=_REMEMBERED)
def _named(named: Named, text: str, zone: str, limits: Limits) -> Resource | None:
    """What a text names, if it can be told apart from others and holds nothing that cannot be read."""
    parts = text.split("^", 60)
    try:
        resource_id = named.identify(parts, zone)
        if not resource_id:
            return None
        body = named.make(parts, zone)
        return check(f'{{"resourceType":"{named.resource_type}","id":"{resource_id}"{body}}}'.encode(), limits)
    except Rejected:
        return None
