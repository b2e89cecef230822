"""The mapping: the package's YAML files, with what a site's own file changes laid over them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from xinglin.core.errors import UsageError
from xinglin.sources.hl7v2.message.tree import Refer
from xinglin.sources.hl7v2.rules.compile import Compiler, Rule
from xinglin.sources.hl7v2.rules.expressions import getter, parse_expression
from xinglin.sources.hl7v2.rules.memo import words_of
from xinglin.sources.hl7v2.rules.times import offset_of
from xinglin.sources.hl7v2.rules.values import Made

__all__ = ["Compiled", "Named", "Plan", "Step", "compiled", "merged"]


_TOLD = {"PID": "Patient", "PV1": "Encounter", "OBR": "DiagnosticReport"}
_HARMLESS = {"settings", "authorities", "groups", "named", "messages"}


class Step(NamedTuple):
    """A rule as one kind of message uses it.

    Args:
        rule: The rule.
        mention: Whether its resource is only mentioned.
        words: Gives what decides alone what it makes; None where there is more to it.
        told: Where its context has the reference to what it makes; empty where it has none.
        mark: Tells apart what steps remember.
    """

    rule: Rule
    mention: bool
    words: Callable[[Any], Any] | None
    told: str
    mark: object


class Plan:
    """What is made of one kind of message.

    Args:
        name: ``ADT^A01``.
        rules: Rules by segment.
        mentions: Names of rules whose resources are only mentioned.
        facts: What the rules can ask for, with ``@`` before the name.
    """

    def __init__(self, name: str, rules: dict[str, tuple[Rule, ...]], mentions: frozenset[str], facts: dict[str, str]):
        self.name = name
        self.rules = rules
        self.mentions = mentions
        self.facts = facts
        self.steps = {
            segment: tuple([self._step(segment, rule, rule.name in mentions) for rule in listed])
            for segment, listed in rules.items()
        }

    def _step(self, segment: str, rule: Rule, mention: bool) -> Step:
        alone = mention and rule.simple and not self.facts["@states"]
        told = f"!{rule.name}" if _TOLD.get(segment) == rule.name else ""
        return Step(rule, mention, words_of(rule.uses) if alone else None, told, object())


class Named:
    """Something that a segment names: its texts, and what makes a resource of one.

    Args:
        place: Segment and field that name it.
        texts: Gives the texts, from a context.
        resource_type: Type of the resource.
        identify: Its id.
        make: Its elements.
    """

    def __init__(
        self, place: tuple[str, int], texts: Callable[[Any], list[str]], resource_type: str, identify: Made, make: Made
    ) -> None:
        self.segment, self.field = place
        self.texts = texts
        self.resource_type = resource_type
        self.identify = identify
        self.make = make


class Compiled:
    """A mapping ready for use.

    Args:
        mapping: The whole mapping, checked.
        unchanged: Whether the rules that make resources are the package's own.
    """

    def __init__(self, mapping: dict[str, Any], unchanged: bool = True) -> None:
        self.mapping = mapping
        self.compiler = Compiler(mapping)
        self.unchanged = unchanged
        self.zone = _zone(mapping["settings"]["zone"])
        self.unidentified: str = mapping["settings"]["unidentified"]
        self.charset: str | None = mapping["settings"]["charset"] or None
        self.panels = frozenset(mapping.get("panels") or ())
        self.parents = {name: frozenset(above) for name, above in mapping["groups"].items() if above}
        self.rules: dict[str, Rule] = {}
        self.named = {name: [self._named(one) for one in listed] for name, listed in mapping["named"].items()}
        self.messages: dict[str, dict[str, Any]] = {
            f"{family}^{event}": {**self._family(family), "facts": facts}
            for family, spec in mapping["messages"].items()
            for event, facts in spec["events"].items()
        }
        self._plans: dict[str, Plan] = {}
        self._refer: dict[str, Refer] = {}

    def plan(self, name: str) -> Plan | None:
        """What is made of a message of that type and event; None where it is not known."""
        if name not in self._plans:
            spec = self.messages.get(name)
            if spec is None:
                return None
            rules = {segment: tuple(self.rule(one) for one in names) for segment, names in spec["segments"].items()}
            event = name.partition("^")[2]
            facts = {f"@{key}": value for key, value in spec["facts"].items()}
            facts |= {"@event": event, "@type": name, "@states": spec.get("states", "")}
            self._plans[name] = Plan(name, rules, frozenset(spec.get("mentions", ())), facts)
        return self._plans[name]

    def refer(self, zone: str) -> Refer:
        """The references that every segment below PID, PV1 and OBR needs, told once."""
        if zone not in self._refer:
            if len(self._refer) >= 200:
                self._refer.clear()
            self._refer[zone] = {segment: self._told(rule, zone) for segment, rule in _TOLD.items()}
        return self._refer[zone]

    def _told(self, rule: str, zone: str) -> Callable[[Any], None]:
        make, key = self.compiler.element(f"the {rule}", rule).make, f"!{rule}"

        def tell(context: Any) -> None:
            context.pop(key, None)
            context[key] = make(context, zone)

        return tell

    def events(self, family: str) -> list[str]:
        """The events of a message type."""
        return list(self.mapping["messages"].get(family, {}).get("events", ()))

    def _family(self, name: str) -> dict[str, Any]:
        spec: dict[str, Any] = self.mapping["messages"][name]
        return self._family(spec["like"]) | spec if "like" in spec else spec

    def rule(self, name: str) -> Rule:
        """A rule of the mapping, compiled once."""
        if name not in self.rules:
            self.rules[name] = self.compiler.rule(name)
        return self.rules[name]

    def _named(self, line: str) -> Named:
        (choice,) = parse_expression(line, "named")
        if choice.path is None or not choice.path.segment or not choice.type:
            raise UsageError(f"the mapping cannot be read at named: {line!r}", remedy='write "PV1-7* as Practitioner"')
        get, holds, many = getter(choice.path), self.compiler.condition(choice), choice.path.many

        def texts(context: Any) -> list[str]:
            raw = get(context)
            if not raw or not holds(context):
                return []
            return [one for one in raw.split("~", 100) if one] if many else [raw]

        resource_type, identify, make = self.compiler.mention(choice.type)
        return Named((choice.path.segment, choice.path.field), texts, resource_type, identify, make)


@lru_cache(maxsize=8)
def compiled(text: str | None = None) -> Compiled:
    """The mapping with a site's file over it, compiled once per process.

    Args:
        text: YAML of the site's file; None for the package's mapping alone.

    Raises:
        UsageError: The file is not YAML, or says something that cannot be; names the place.

    Example:
        >>> compiled().plan("ADT^A01").name, compiled().plan("XXX^X01")
        ('ADT^A01', None)
        >>> compiled("settings: {zone: Asia/Shanghai}").zone
        'Asia/Shanghai'
    """
    own = _own(text)
    found = Compiled(merged(_base(), own), set(own) <= _HARMLESS)
    if own:  # a mistake is told now, not in the middle of a batch
        for name in found.messages:
            found.plan(name)
        for name in found.mapping["resources"]:
            found.compiler.rule(name)
    return found


def merged(under: Any, over: Any) -> Any:
    """Objects joined member by member; anything else replaces what was there.

    Example:
        >>> merged({"a": {"b": "1", "c": "2"}}, {"a": {"c": "3"}})
        {'a': {'b': '1', 'c': '3'}}
    """
    if isinstance(under, dict) and isinstance(over, dict):
        return {**under, **{key: merged(under.get(key), value) for key, value in over.items()}}
    return over


def _zone(name: str) -> str:
    try:
        offset_of(name, "2024-01-01T00:00:00")
    except (OSError, KeyError, ValueError):
        raise UsageError(f"the mapping names an unknown time zone: {name!r}",
                         remedy="write an offset such as +08:00 or a name such as Asia/Shanghai") from None  # fmt: skip
    return name


@lru_cache(maxsize=1)
def _base() -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for file in sorted(files("xinglin.sources.hl7v2.rules").joinpath("mapping").iterdir(), key=lambda one: one.name):
        if file.name.endswith(".yaml"):
            whole |= _yaml(file.read_text(encoding="utf-8"))
    return whole


def _own(text: str | None) -> dict[str, Any]:
    """A site's file, checked against the schema of the mapping."""
    if text is None or not text.strip():
        return {}
    import jsonschema_rs
    import orjson

    own = _yaml(text)
    schema = orjson.loads(files("xinglin.sources.hl7v2.rules").joinpath("mapping", "schema.json").read_bytes())
    for error in jsonschema_rs.validator_for(schema).iter_errors(own):
        place = ".".join(str(step) for step in error.instance_path) or "the top"
        raise UsageError(f"the mapping file is wrong at {place}: {error.message[:300]}",
                         remedy="src/xinglin/sources/hl7v2/README.md shows what may stand there")  # fmt: skip
    return own


def _yaml(text: str) -> dict[str, Any]:
    """YAML in which every scalar is a text: Y and N stay letters."""
    import yaml

    try:
        found = yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f" at line {place.line + 1}" if place else ""
        raise UsageError(f"the mapping file is not YAML{line}", remedy="check its indentation and quotes") from None
    if not isinstance(found, dict):
        raise UsageError("the mapping file is not a YAML mapping", remedy="begin with settings: or messages:")
    return found
