"""The rules of the mapping made into functions, once per process."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from xinglin.core.errors import UsageError
from xinglin.sources.hl7v2.message.tree import Context
from xinglin.sources.hl7v2.rules.arrange import Element, arranged
from xinglin.sources.hl7v2.rules.expressions import Choice, parse_path
from xinglin.sources.hl7v2.rules.identifiers import Ways
from xinglin.sources.hl7v2.rules.primitives import PRIMITIVES
from xinglin.sources.hl7v2.rules.values import Convert, Made

__all__ = ["Compiler", "Rule"]

_LONG = 500
_PRIMITIVE = re.compile(r"([A-Z][A-Z0-9]{2}-\d+)(?:\.\d+)* as (?:date|dateTime|instant|integer|decimal)\b").findall


class Rule(NamedTuple):
    """How one resource is made.

    Args:
        name: Name of the rule.
        resource_type: Type of the resource.
        identify: Gives its id; empty where the message has nothing to make one of.
        make: Gives its elements as JSON members with a comma before each.
        needed: Gives nothing where there is no such thing in the message.
        required: What must be there, and where it is looked for.
        optional: Whether nothing is made where nothing identifies it.
        updated: Gives when what it tells was last changed; where it gives nothing, the message does.
        proven: Whether what it makes need not be checked one by one.
        uses: Fields that it looks at.
        simple_elements: Name of the element with a primitive value that a field gives, by the field (``PID-7``).
        simple: Whether nothing but these fields and the type of the message decide what it makes as a mention.
    """

    name: str
    resource_type: str
    identify: Made
    make: Made
    needed: Made | None
    required: tuple[tuple[str, Made], ...]
    optional: bool
    updated: Made | None
    proven: bool
    uses: tuple[tuple[str, int], ...]
    simple: bool
    simple_elements: Mapping[str, str]


class Compiler(Ways):
    """Compiles the rules of one mapping.

    Args:
        mapping: The whole mapping, checked.
    """

    def __init__(self, mapping: dict[str, Any]) -> None:
        super().__init__(mapping)
        self.types: dict[str, Convert] = {}
        self._identities: dict[str, Made] = {}

    def rule(self, name: str) -> Rule:
        """A rule of `resources`."""
        spec = self._find("resources", name)
        self._uses, self._fields, self._simple = set(), set(), True
        identify = self.identity(name)
        members = self._frequent(spec, f"resources.{name}")
        needed = self._need(spec["needs"], f"resources.{name}.needs") if "needs" in spec else None
        required = tuple((line, self._word(line, f"resources.{name}.requires")) for line in spec.get("requires", ()))
        counted = any("count" in way for way in spec["id"])
        resource_type = spec.get("resource", name)

        updated = self.element(spec["updated"], f"resources.{name}.updated").make if "updated" in spec else None
        optional, proven = spec.get("optional") == "true", spec.get("proven") == "true"
        uses, simple = tuple(sorted(self._fields)), self._simple and not counted
        told = _simple_elements(spec["elements"])
        return Rule(
            name, resource_type, identify, members, needed, required, optional, updated, proven, uses, simple, told
        )

    def _frequent(self, spec: dict[str, Any], where: str) -> Made:
        """The elements of a rule, arranged so that what comes again and again is not made again and again."""
        often = frozenset(_field(line, where) for line in spec.get("often", ()))
        elements = []
        for key, one in spec["elements"].items():
            uses, simple, paths = self._uses, self._simple, self._paths
            self._uses, self._simple, self._paths, self._refers, self._read = set(), True, set(), False, set()
            make = self._member(key, one, where)
            known, below = frozenset(self._paths), _each(one if isinstance(one, list) else [one])
            costly = bool(known) and not self._refers and _costly(one)
            elements.append(Element(make, known, self._refers, below, known - self._read, costly))
            self._uses, self._simple, self._paths = self._uses | uses, self._simple and simple, paths
        return arranged(elements, often)

    def identity(self, name: str) -> Made:
        """What gives the id of the resource that a rule makes in a context."""
        if name not in self._identities:
            where = f"resources.{name}.id"
            ways = [self._way(way, where) for way in self._find("resources", name)["id"]]

            def identify(context: Context, zone: str) -> str:
                for way in ways:
                    if found := way(context, zone):
                        return found
                return ""

            self._identities[name] = identify
        else:
            for way in self._find("resources", name)["id"]:
                self._way(way, f"resources.{name}.id")  # notes the segments that it looks at
        return self._identities[name]

    def converter(self, name: str, where: str) -> Convert:
        """What makes JSON of a text, by the name of a type."""
        if name in PRIMITIVES:
            return PRIMITIVES[name]
        if name not in self.types:
            if known := self.vocabulary.converter(name):
                self.types[name] = known
            elif name in self.mapping["datatypes"]:
                self.types[name] = self._datatype(name)
            elif name in self.mapping["mentions"]:
                self.types[name] = self._mentioned(name)
            else:
                raise UsageError(
                    f"the mapping names an unknown type at {where}: {name!r}",
                    remedy="add it to datatypes, or use a primitive such as string, date or decimal",
                )
        return self.types[name]

    def mention(self, name: str) -> tuple[str, Made, Made]:
        """Type of the resource, id and elements of what is only mentioned, from the components of its text."""
        spec = self._find("mentions", name)
        where = f"mentions.{name}"
        ways = [self._way(way, where) for way in spec["id"]]
        members = self._members(spec["elements"], where)

        def identify(parts: Any, zone: str) -> str:
            return next((found for way in ways if (found := way(parts, zone))), "")

        return spec.get("resource", name), identify, members

    def _find(self, group: str, name: str) -> Any:
        if name not in self.mapping[group]:
            raise UsageError(f"the mapping names a rule that is not there: {name!r}", remedy=f"add it to {group}")
        return self.mapping[group][name]

    def _datatype(self, name: str) -> Convert:
        make = self._object(self.mapping["datatypes"][name], f"datatypes.{name}").make

        @lru_cache(maxsize=4_096)
        def remembered(raw: str, zone: str) -> str:
            return make(raw.split("^", 60), zone)

        def convert(raw: str, zone: str) -> str:
            return remembered(raw, zone) if len(raw) < _LONG else make(raw.split("^", 60), zone)

        return convert

    def _mentioned(self, name: str) -> Convert:
        """A reference to what is mentioned."""
        resource_type, identify, _ = self.mention(name)
        display = self.element(self.mapping["mentions"][name]["display"], f"mentions.{name}.display").make

        @lru_cache(maxsize=4_096)
        def convert(raw: str, zone: str) -> str:
            parts = raw.split("^", 60)
            resource_id, text = identify(parts, zone), display(parts, zone)
            members = [f'"reference":"{resource_type}/{resource_id}"'] if resource_id else []
            return "{" + ",".join(members + [f'"display":{text}'] * bool(text)) + "}" if members or text else ""

        return convert

    def reference(self, choice: Choice) -> Made:
        """What gives a reference to what another rule makes, or to what was made below."""
        target = choice.target
        if choice.made:
            self._simple = False
            begin = "" if target == "everything" else f"{target}/"
            return lambda context, zone: ",".join(
                [f'{{"reference":"{name}"}}' for name in context["#"].made if name.startswith(begin)]
            )
        resource_type = self._find("resources", target).get("resource", target)
        noted, self._uses = self._uses, set()
        identify, segments = self.identity(target), tuple(sorted(self._uses))
        self._uses |= noted

        own = f"!{target}"

        def reference(context: Context, zone: str) -> str:
            text: str | None = context.get(own)
            if text is not None:
                return text
            known = context["@known"]
            key = (target, *[id(context.get(name)) for name in segments])
            text = known.get(key)
            if text is None:
                found = identify(context, zone)
                text = known[key] = f'{{"reference":"{resource_type}/{found}"}}' if found else ""
            return text

        return reference


def _simple_elements(elements: dict[str, Any]) -> dict[str, str]:
    """The elements with a primitive value by the field that gives them; ``value[x]`` by its own."""
    found = {}
    for key, spec in elements.items():
        if key == "value[x]":
            found[spec["from"]] = key
        elif isinstance(spec, str):
            found |= {place: key for place in _PRIMITIVE(spec) if place not in found}
    return found


def _each(spec: Any) -> bool:
    """Whether an element is a list of nothing but what stands below."""
    return isinstance(spec, list) and all(isinstance(one, dict) and "each" in one for one in spec)


def _costly(spec: Any) -> bool:
    """Whether an element is more than a field or two looked at."""
    return not isinstance(spec, str) or " if " in spec or " unless " in spec


def _field(line: str, where: str) -> tuple[str, int]:
    path = parse_path(line, where)
    return path.segment or "@" + path.fact, path.field
