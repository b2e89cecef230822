"""The mapping's data made into functions, once: what a message costs is calls of small closures."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from xinglin.core.errors import UsageError
from xinglin.sources.hl7v2.arrange import Element, arranged
from xinglin.sources.hl7v2.expressions import Choice, Path, first_of, getter, parse_expression, parse_path
from xinglin.sources.hl7v2.identity import hashed, own_id, valid_id
from xinglin.sources.hl7v2.primitives import PRIMITIVES, text_of
from xinglin.sources.hl7v2.tree import Context
from xinglin.sources.hl7v2.values import value_member
from xinglin.sources.hl7v2.vocabulary import Vocabulary

__all__ = ["Compiler", "Convert", "Made", "Piece", "Rule"]

Made = Callable[[Any, str], str]
"""From a context (or the components of a datatype) and the zone to JSON text; empty for nothing."""
Convert = Callable[[str, str], str]
"""From a text as written and the zone to JSON text."""

_NULL = '""'
_LONG = 2_000
_SEPARATE = frozenset({"text", "phone", "encoded", "base64", "lines"})


class Piece(NamedTuple):
    """A compiled element.

    Args:
        make: Gives its JSON; of a list the items without brackets.
        many: Whether it is a list.
        constant: Whether it says nothing about the message.
    """

    make: Made
    many: bool = False
    constant: bool = False


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
        uses: Segments that it looks at.
        simple: Whether nothing but these segments decides what it makes.
    """

    name: str
    resource_type: str
    identify: Made
    make: Made
    needed: Made | None
    required: tuple[tuple[str, Made], ...]
    optional: bool
    uses: tuple[str, ...]
    simple: bool


class Compiler:
    """Compiles rules of one mapping; remembers what a rule looks at.

    Args:
        mapping: The whole mapping, checked.
    """

    def __init__(self, mapping: dict[str, Any]) -> None:
        self.mapping = mapping
        self.vocabulary = Vocabulary(mapping)
        self.types: dict[str, Convert] = {}
        self._identities: dict[str, Made] = {}
        self._uses: set[str] = set()
        self._paths: set[tuple[str, int]] = set()
        self._simple = True
        self._refers = False

    def rule(self, name: str) -> Rule:
        """A rule of `resources`."""
        spec = self._find("resources", name)
        self._uses, self._simple = set(), True
        identify = self.identity(name)
        members = self._frequent(spec, f"resources.{name}")
        needed = self._need(spec["needs"], f"resources.{name}.needs") if "needs" in spec else None
        required = tuple((line, self._word(line, f"resources.{name}.requires")) for line in spec.get("requires", ()))
        counted = any("count" in way for way in spec["id"])
        resource_type = spec.get("resource", name)

        optional = spec.get("optional") == "true"
        return Rule(name, resource_type, identify, members, needed, required, optional, tuple(sorted(self._uses)),
                    self._simple and not counted)  # fmt: skip

    def _frequent(self, spec: dict[str, Any], where: str) -> Made:
        """The elements of a rule, arranged so that what comes again and again is not made again and again."""
        often = frozenset(_field(line, where) for line in spec.get("often", ()))
        elements = []
        for key, one in spec["elements"].items():
            uses, simple, paths = self._uses, self._simple, self._paths
            self._uses, self._simple, self._paths, self._refers = set(), True, set(), False
            elements.append(Element(self._member(key, one, where), frozenset(self._paths), self._refers))
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

    def element(self, spec: Any, where: str) -> Piece:
        """One element: a line of the small language, an object or a list."""
        if isinstance(spec, str):
            return self._line(spec, where)
        if isinstance(spec, list):
            pieces = [self.element(one, f"{where}[{number}]") for number, one in enumerate(spec)]

            def items(context: Context, zone: str) -> str:
                return ",".join([text for piece in pieces if (text := piece.make(context, zone))])

            return Piece(items, True, all(piece.constant for piece in pieces))
        return self._object(spec, where)

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
                raise UsageError(f"the mapping names an unknown type at {where}: {name!r}",
                                 remedy="add it to datatypes, or use a primitive such as string, date or decimal")  # fmt: skip
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

        @lru_cache(maxsize=16_384)
        def remembered(raw: str, zone: str) -> str:
            return make(raw.split("^", 60), zone)

        def convert(raw: str, zone: str) -> str:
            return remembered(raw, zone) if len(raw) < _LONG else make(raw.split("^", 60), zone)

        return convert

    def _mentioned(self, name: str) -> Convert:
        """A reference to what is mentioned."""
        resource_type, identify, _ = self.mention(name)
        display = self.element(self.mapping["mentions"][name]["display"], f"mentions.{name}.display").make

        @lru_cache(maxsize=16_384)
        def convert(raw: str, zone: str) -> str:
            parts = raw.split("^", 60)
            resource_id, text = identify(parts, zone), display(parts, zone)
            members = [f'"reference":"{resource_type}/{resource_id}"'] if resource_id else []
            return "{" + ",".join(members + [f'"display":{text}'] * bool(text)) + "}" if members or text else ""

        return convert

    def _members(self, spec: dict[str, Any], where: str) -> Made:
        """The members of an object, each with a comma before it."""
        listed = [self._member(key, one, where) for key, one in spec.items()]
        if len(listed) == 1:
            return listed[0]
        return lambda context, zone: "".join([make(context, zone) for make in listed])

    def _member(self, key: str, spec: Any, where: str) -> Made:
        """One member with a comma before it."""
        if key == "value[x]":
            for place in ("from", "kind", "unit"):
                self._note(parse_path(spec[place], where))
            return value_member(spec, self, where)
        piece = self.element(spec, f"{where}.{key}")
        make, name = piece.make, f',"{key}":'
        if piece.constant:
            text = make({}, "")
            whole = (f"{name}[{text}]" if piece.many else name + text) if text else ""
            return lambda context, zone: whole
        if piece.many:

            def listed(context: Context, zone: str) -> str:
                text = make(context, zone)
                return f"{name}[{text}]" if text else ""

            return listed

        def single(context: Context, zone: str) -> str:
            text = make(context, zone)
            return name + text if text else ""

        return single

    def _object(self, spec: dict[str, Any], where: str) -> Piece:
        own = {key: one for key, one in spec.items() if key not in ("each", "needs")}
        pieces = [(key, self.element(one, f"{where}.{key}")) for key, one in own.items() if key != "value[x]"]
        constant = all(piece.constant for _, piece in pieces) and len(pieces) == len(own)
        telling = [piece.make for _, piece in pieces if not piece.constant]
        needed = [self.element(spec["needs"], f"{where}.needs").make] if "needs" in spec else telling
        members = self._members(own, where)
        every = len(telling) == len(pieces) == len(own) and "needs" not in spec

        def make(context: Context, zone: str) -> str:
            if not every and not constant and needed and not any(one(context, zone) for one in needed):
                return ""
            text = members(context, zone)
            return "{" + text[1:] + "}" if text else ""

        if "each" not in spec:
            return Piece(make, constant=constant)
        name, self._simple, self._refers = spec["each"], False, True

        def items(context: Context, zone: str) -> str:
            node = context["#"]
            if not node.below:
                return ""
            found = [make(node.context, zone) for node in node.nodes(name)]
            return ",".join(text for text in found if text)

        return Piece(items, True)

    def _line(self, spec: str, where: str) -> Piece:
        choices = parse_expression(spec, where)
        made = [self._choice(choice, where) for choice in choices]
        many = any(choice.made or (choice.path is not None and choice.path.many and not choice.path.below and choice.type != "lines") for choice in choices)
        constant = all(choice.constant is not None and choice.condition is None for choice in choices)
        if len(made) == 1:
            return Piece(made[0], many, constant)

        def first(context: Context, zone: str) -> str:
            for one in made:
                if text := one(context, zone):
                    return text
            return ""

        return Piece(first, many, constant)

    def _choice(self, choice: Choice, where: str) -> Made:
        if choice.path is not None and choice.path.below:
            return self._below(choice, choice.path, where)
        make = self._plain(choice, where)
        if choice.condition is None:
            return make
        holds = self.condition(choice)
        return lambda context, zone: make(context, zone) if holds(context) else ""

    def condition(self, choice: Choice) -> Callable[[Any], bool]:
        """Whether the condition of a choice holds in a context."""
        if choice.condition is None:
            return lambda context: True
        path, words = choice.condition
        self._note(path)
        get, negated = getter(path), choice.negated

        def holds(context: Any) -> bool:
            raw = get(context)
            if not raw:
                return negated
            text = text_of(raw.split("^", 1)[0] if "^" in raw else raw)
            return (text in words if words else bool(text)) is not negated

        return holds

    def _below(self, choice: Choice, path: Path, where: str) -> Made:
        """One text of a field of every segment of a name right below."""
        self._simple, self._refers = False, True
        convert, get, holds = self.converter(choice.type or "lines", where), getter(path), self.condition(choice)

        def text(context: Context, zone: str) -> str:
            contexts = [node.context for node in context["#"].nodes(path.segment)]
            return convert("~".join(get(one) for one in contexts if holds(one)).replace("~", "\\.br\\"), zone)

        return text

    def _plain(self, choice: Choice, where: str) -> Made:
        if choice.constant is not None:
            word = choice.constant
            plain = word in ("true", "false") or word.lstrip("-").replace(".", "", 1).isdigit()
            text = word if plain else encode_basestring(word)
            return lambda context, zone: text
        if choice.target:
            self._refers = True
            return self._reference(choice)
        if choice.path is None:
            raise AssertionError("a choice without constant, target and path cannot be parsed")
        self._note(choice.path)
        return self._value(choice, choice.path, where)

    def _reference(self, choice: Choice) -> Made:
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

    def _value(self, choice: Choice, path: Path, where: str) -> Made:
        convert = self._conversion(choice, path, where)
        get = getter(path)
        if path.segment and not path.many and not path.component:
            return _of_field(path.segment, path.field, convert)
        if not path.many or choice.type == "lines":

            def single(context: Context, zone: str) -> str:
                raw = get(context)
                return convert(raw, zone) if raw and raw != _NULL else ""

            return single

        def each(context: Context, zone: str) -> str:
            raw = get(context)
            if "~" not in raw:
                return convert(raw, zone) if raw and raw != _NULL else ""
            return ",".join([text for one in raw.split("~", 1_000) if one and one != _NULL and (text := convert(one, zone))])

        return each

    def _conversion(self, choice: Choice, path: Path, where: str) -> Convert:
        """From the text of a path to JSON: simple types take the first of what is finer than them."""
        if choice.table:
            look_up = self.vocabulary.table(choice.table, where)
            return lambda raw, zone: look_up(text_of(raw.split("^", 1)[0].split("&", 1)[0]))
        name = choice.type or "string"
        convert = self.converter("string" if name == "text" else name, where)
        if name in _SEPARATE or (not path.segment and not path.component):
            return convert
        if name in PRIMITIVES:
            sign = "&" if path.component else "^"
            return lambda raw, zone: convert(raw.split(sign, 1)[0] if sign in raw else raw, zone)
        if path.component:
            return lambda raw, zone: convert(raw.replace("&", "^"), zone)
        return convert

    def _way(self, way: dict[str, Any], where: str) -> Made:
        """One way to an id."""
        if "message" in way:
            return _message_id
        if "identifier" in way:
            return self._identifier(way, where)
        needed = [self._word(one, where) for one in way["hash"]]
        more = [self._word(one, where) for one in way.get("with", ())]
        count = way.get("count") == "true"

        def identify(context: Context, zone: str) -> str:
            found = []
            for make in needed:
                if not (word := make(context, zone)):
                    return ""
                found.append(word)
            text = "|".join(found + [make(context, zone) for make in more])
            if count:
                seen = context["@seen"]
                number = seen[text] = seen.get(text, 0) + 1
                if number > 1:
                    text += f"|{number}"
            return hashed(f"{where}|{text}")

        return identify

    def _need(self, line: str, where: str) -> Made:
        """Whether a line gives anything; quick where that is a question of one field's word."""
        choices = parse_expression(line, where)
        path, words = choices[0].condition or (Path(), frozenset())
        if len(choices) > 1 or choices[0].constant is None or not (path.segment and words) or path.component:
            return self.element(line, where).make
        self._note(path)
        segment, number, negated = path.segment, path.field, choices[0].negated

        def need(context: Context, zone: str) -> str:
            fields = context.get(segment)
            word = fields[number] if fields is not None and number < len(fields) else ""
            return "yes" if (word in words) is not negated else ""

        return need

    def _word(self, line: str, where: str) -> Made:
        """What a line gives, as it was written where that is enough: only to tell things apart."""
        choices = parse_expression(line, where)
        paths = [choice.path for choice in choices if choice.path and not choice.condition and not choice.path.below]
        if len(paths) < len(choices) or any(choice.type or choice.table for choice in choices):
            return self.element(line, where).make
        for path in paths:
            self._note(path)
        gets = [getter(path) for path in paths]

        def word(context: Context, zone: str) -> str:
            for get in gets:
                raw = get(context)
                if raw and raw != _NULL and raw.strip("^&~ "):
                    return raw
            return ""

        return word

    def _identifier(self, way: dict[str, Any], where: str) -> Made:
        paths = [choice.path for choice in parse_expression(way["identifier"], where) if choice.path]
        for path in paths:
            self._note(path)
        gets = [getter(path) for path in paths]
        prefer = way.get("prefer", ())
        value, authority, kind = (
            int(way.get(name, default)) - 1 for name, default in (("value", 1), ("authority", 4), ("kind", 5))
        )

        def identify(context: Context, zone: str) -> str:
            for get in gets:
                listed = [one for raw in get(context).split("~", 100) if text_of((one := raw.split("^", 60))[0]) or value]
                if not listed:
                    continue
                chosen = listed[0]
                for wish in prefer:
                    if found := next((one for one in listed if one[kind : kind + 1] == [wish]), None):
                        chosen = found
                        break
                if found_id := own_id("".join(chosen[value : value + 1]), "".join(chosen[authority : authority + 1])):
                    return found_id
            return ""

        return identify

    def _note(self, path: Path) -> None:
        if path.segment:
            self._uses.add(path.segment)
            self._paths.add((path.segment, path.field))
        if path.fact:
            self._simple = False
            self._paths.add(("@" + path.fact, 0))




def _of_field(segment: str, number: int, convert: Convert) -> Made:
    """The most frequent case in one function: the first repetition of a field."""

    def field(context: Context, zone: str) -> str:
        fields = context.get(segment)
        if fields is None or number >= len(fields):
            return ""
        raw = fields[number]
        if not raw or raw == _NULL:
            return ""
        return convert(first_of(raw) if "~" in raw else raw, zone)

    return field


def _message_id(context: Context, zone: str) -> str:
    """MSH-10 if it can be an id; else a hash with sender and moment; without any the hash of the message itself."""
    fields = [*context["MSH"], *[""] * 11][:11]
    control = text_of(fields[10])
    if valid_id(control):
        return control
    return hashed("|".join(["message", control, fields[3], fields[4], fields[7]] if control else [context["@digest"]]))


def _field(line: str, where: str) -> tuple[str, int]:
    path = parse_path(line, where)
    return path.segment or "@" + path.fact, path.field
