"""A field that cannot be read: where it stands, and what the resource says in its place.

FHIR R4, extensibility.html: an element without a value says why by the extension data-absent-reason; the text stays
beside it, so nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import NamedTuple

from xinglin.sources.fhir.unread import ABSENT, UNREADABLE
from xinglin.sources.hl7v2.message.tree import Context, Node
from xinglin.sources.record import Rejected

__all__ = ["Unread", "taken_out", "told_of"]


class Unread(NamedTuple):
    """A text that could not be read.

    Args:
        place: Segment and field, such as ``PID-7``.
        text: What stood there.
        segment: The whole segment as it was.
    """

    place: str
    text: str
    segment: str


def taken_out(context: Context, rejected: Rejected) -> Unread | None:
    """Take the text that could not be read out of its segment; None where it cannot be found.

    Args:
        context: What the rule saw.
        rejected: Why it could not be read; its `raw` is the text.
    """
    raw = rejected.raw
    if not raw:
        return None
    node: Node = context["#"]
    named = [(name, fields) for name, fields in context.items() if name[:1] not in "@#!" and isinstance(fields, list)]
    named.sort(key=lambda one: one[0] != node.name)  # the rule's own segment first
    for name, fields in [*named, *((one.name, one.segment) for one in node.below)]:
        for number in range(1, len(fields)):
            if raw in fields[number] and (rest := _without(fields[number], raw)) is not None:
                segment = "|".join(fields)
                fields[number] = rest
                return Unread(f"{name}-{number}", raw, segment)
    return None


def _without(field: str, raw: str) -> str | None:
    """A field without a text that is one of its repetitions, components or subcomponents, or the whole."""
    if field == raw:
        return ""
    for sign in "~^&":
        parts = field.split(sign)
        if raw in parts:
            parts[parts.index(raw)] = ""
            return sign.join(parts)
        for place, part in enumerate(parts):
            if len(parts) > 1 and raw in part and (rest := _without(part, raw)) is not None:
                parts[place] = rest
                return sign.join(parts)
    return None


def told_of(made: str, unread: list[Unread], simple: Mapping[str, str]) -> str:
    """The elements of a resource with what could not be read.

    Args:
        made: Its elements as JSON members, with a comma before each.
        unread: What could not be read.
        simple: Name of the element with a primitive value that a field gives, by the field.

    Example:
        >>> told_of(',"gender":"male"', [Unread("PID-7", "soon", "")], {"PID-7": "birthDate"})[:48]
        ',"gender":"male","_birthDate":{"extension":[{"ur'
    """
    whole: list[str] = []
    for one in unread:
        text = encode_basestring(one.text)
        name = simple.get(one.place, "")
        if name == "value[x]" and '"dataAbsentReason":' not in made:
            system = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
            made += f',"dataAbsentReason":{{"coding":[{{"system":"{system}","code":"error"}}]}}'
        if name and name != "value[x]" and f',"{name}":' not in made and f',"_{name}":' not in made:
            absent = f'{{"url":"{ABSENT}","valueCode":"error"}},{{"url":"{UNREADABLE}","valueString":{text}}}'
            made += f',"_{name}":{{"extension":[{absent}]}}'
            continue
        place = f'{{"url":"place","valueString":"{one.place}"}},{{"url":"text","valueString":{text}}}'
        whole.append(f'{{"url":"{UNREADABLE}","extension":[{place}]}}')
    if not whole:
        return made
    begin = ',"extension":['
    rest = "," + made[len(begin) :] if made.startswith(begin) else "]" + made
    return begin + ",".join(whole) + rest
