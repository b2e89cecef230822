"""The small language of the mapping files: one line says where a value comes from and what becomes of it.

PID-8                      the first component of the field, as text
PID-5* as HumanName        every repetition, as that type (`datatypes` of the mapping, or a primitive)
PV1-2 by patient-class     looked up in a table of the mapping
A else B else = final      the first that has a value; ``= word`` is a constant, ``true`` and numbers too
PID-30 as boolean unless PID-29      also ``if PATH``, ``if PATH = Y,N``
the Patient                a reference to what another rule makes of the same group of segments
all OBX-5 as lines         the field of every such segment below, as one text
made Observation           references to what was made of the segments below
.2, .9.2, $                inside a datatype: a component, a subcomponent, the whole
@visit                     what the message type says (`facts` of `messages`)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from xinglin.core.errors import UsageError

__all__ = ["Choice", "Getter", "Path", "first_of", "getter", "parse_expression", "parse_path"]

Getter = Callable[[Any], str]
"""From the context of a group of segments, or the components of a datatype, to the text as written."""

_PATH = re.compile(r"(?:([A-Z][A-Z0-9]{2})-(\d+)(?:\.(\d+)(?:\.(\d+))?)?|\.(\d+)(?:\.(\d+))?|(\$)|@([a-z-]+))(\*?)")
_CONDITION = re.compile(r"^(.*?) (if|unless) (\S+)(?: = (.+))?$")
_CONSTANT = re.compile(r"true|false|-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Path:
    """Where a text stands.

    Args:
        segment: Name of the segment; empty inside a datatype.
        field: Number of the field.
        component: Number of the component; 0 for the whole.
        part: Number of the subcomponent; 0 for the whole.
        fact: Name of a fact of the message type instead.
        many: Whether every repetition is meant.
        below: Whether the field of every segment of that name right below is meant, as one text.
    """

    segment: str = ""
    field: int = 0
    component: int = 0
    part: int = 0
    fact: str = ""
    many: bool = False
    below: bool = False


@dataclass(frozen=True)
class Choice:
    """One of the alternatives of an expression.

    Args:
        path: Where the text stands; None for constants and references.
        type: Name after ``as``.
        table: Name after ``by``.
        constant: The constant.
        target: Rule that a reference leads to.
        made: Whether the references lead to what was made below.
        condition: Path and accepted words that have to be there; None for always.
        negated: Whether they must not be there.
    """

    path: Path | None = None
    type: str = ""
    table: str = ""
    constant: str | None = None
    target: str = ""
    made: bool = False
    condition: tuple[Path, frozenset[str]] | None = None
    negated: bool = False


def parse_expression(text: str, where: str) -> list[Choice]:
    """The alternatives of an expression.

    Raises:
        UsageError: It cannot be read; says where and what is possible.

    Example:
        >>> [choice.type or choice.constant for choice in parse_expression("PID-7 as date else = x", "here")]
        ['date', 'x']
    """
    return [_choice(part.strip(), where) for part in text.split(" else ")]


def _choice(text: str, where: str) -> Choice:
    condition, negated = None, False
    if found := _CONDITION.match(text):
        text, negated = found[1].strip(), found[2] == "unless"
        words = frozenset(word.strip() for word in (found[4] or "").split(",") if word.strip())
        condition = (parse_path(found[3], where), words)
    more: dict[str, Any] = {"condition": condition, "negated": negated}
    if text.startswith("= "):
        return Choice(constant=text[2:].strip(), **more)
    if _CONSTANT.fullmatch(text):
        return Choice(constant=text, **more)
    words_of = text.split()
    if len(words_of) == 2 and words_of[0] in ("the", "made"):
        return Choice(target=words_of[1], made=words_of[0] == "made", **more)
    below = words_of[0] == "all"
    words_of = words_of[below:]
    options = dict(zip(words_of[1::2], words_of[2::2], strict=False))
    if len(words_of) % 2 == 0 or not set(options) <= {"as", "by"}:
        raise _unreadable(text, where)
    path = replace(parse_path(words_of[0], where), below=True, many=True) if below else parse_path(words_of[0], where)
    return Choice(path, options.get("as", ""), options.get("by", ""), **more)


def parse_path(text: str, where: str) -> Path:
    """A path such as ``PID-3.4.2`` or ``.1``.

    Raises:
        UsageError: It is no path.
    """
    found = _PATH.fullmatch(text)
    if not found:
        raise _unreadable(text, where)
    segment, field, component, part, own, own_part, whole, fact, many = found.groups()
    if segment:
        return Path(segment, int(field), int(component or 0), int(part or 0), many=bool(many))
    return Path(component=0 if whole else int(own or 0), part=int(own_part or 0), fact=fact or "", many=bool(many))


def _unreadable(text: str, where: str) -> UsageError:
    return UsageError(
        f"the mapping cannot be read at {where}: {text!r}",
        remedy='write for example "PID-7 as date", "PV1-2 by patient-class else = AMB" or "the Patient"; '
        "src/xinglin/sources/hl7v2/README.md explains the language",
    )


def getter(path: Path) -> Getter:
    """What reads the text of a path; the first repetition where only one is meant.

    Example:
        >>> getter(parse_path("PID-5.1", ""))({"PID": ["PID", "", "", "", "", "Li&x^Na~Wang"]})
        'Li&x'
    """
    if path.fact:
        fact = "@" + path.fact
        return lambda context: str(context.get(fact, ""))
    if not path.segment:
        return _inside(path)
    return _of_segment(path)


def _inside(path: Path) -> Getter:
    index, part = path.component - 1, path.part - 1
    if index < 0:
        return lambda parts: "^".join(parts)

    def component(parts: list[str]) -> str:
        return parts[index] if index < len(parts) else ""

    def subcomponent(parts: list[str]) -> str:
        found = parts[index].split("&", part + 2) if index < len(parts) else ()
        return found[part] if part < len(found) else ""

    return component if part < 0 else subcomponent


def _of_segment(path: Path) -> Getter:
    segment, number, many = path.segment, path.field, path.many
    index, part = path.component - 1, path.part - 1

    def field(context: dict[str, Any]) -> str:
        fields = context.get(segment)
        if fields is None or number >= len(fields):
            return ""
        raw: str = fields[number]
        return raw if many or "~" not in raw else first_of(raw)

    def component(context: dict[str, Any]) -> str:
        found = field(context).split("^", index + 2)
        return found[index] if index < len(found) else ""

    def subcomponent(context: dict[str, Any]) -> str:
        found = component(context).split("&", part + 2)
        return found[part] if part < len(found) else ""

    return field if index < 0 else component if part < 0 else subcomponent


def first_of(raw: str) -> str:
    """The first repetition that is not empty."""
    return next((one for one in raw.split("~", 100) if one.strip("^& ")), "")
