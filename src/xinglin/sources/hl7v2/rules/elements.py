"""The elements of a resource or datatype made into functions: what a message costs is calls of small closures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from xinglin.sources.hl7v2.message.tree import Context
from xinglin.sources.hl7v2.rules.expressions import Choice, Path, first_of, getter, parse_expression, parse_path
from xinglin.sources.hl7v2.rules.memo import Remembered
from xinglin.sources.hl7v2.rules.primitives import PRIMITIVES, text_of
from xinglin.sources.hl7v2.rules.values import Convert, Made, value_member
from xinglin.sources.hl7v2.rules.vocabulary import Vocabulary

__all__ = ["NULL", "Elements", "Piece"]

NULL = '""'
"""HL7's null: what was there is to be removed."""

_JUDGED = 256
_SHORT = 100
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


class Elements(ABC):
    """Compiles elements of one mapping; remembers what they look at.

    Args:
        mapping: The whole mapping, checked.
    """

    def __init__(self, mapping: dict[str, Any]) -> None:
        self.mapping = mapping
        self.vocabulary = Vocabulary(mapping)
        self._uses: set[str] = set()
        self._fields: set[tuple[str, int]] = set()
        self._paths: set[tuple[str, int]] = set()
        self._read: set[tuple[str, int]] = set()
        self._simple = True
        self._refers = False

    @abstractmethod
    def converter(self, name: str, where: str) -> Convert:
        """What makes JSON of a text, by the name of a type."""

    @abstractmethod
    def reference(self, choice: Choice) -> Made:
        """What gives a reference to another resource."""

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
            return value_member(spec, lambda name: self.converter(name, where), self.vocabulary.unit, where)
        piece = self.element(spec, f"{where}.{key}")
        if isinstance(spec, str) and spec.startswith("the ") and " " not in spec[4:]:
            return _of_reference(f',"{key}":', f"!{spec[4:]}", piece.make)
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
        many = any(
            choice.made
            or (choice.path is not None and choice.path.many and not choice.path.below and choice.type != "lines")
            for choice in choices
        )
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
        self._note(path, only_filled=not words and not path.component)
        get, negated = getter(path), choice.negated

        def judge(raw: str) -> bool:
            text = text_of(raw.split("^", 1)[0])
            return (text in words if words else bool(text)) is not negated

        if not path.segment or path.component or path.many:
            return lambda context: judge(raw) if (raw := get(context)) else negated
        return _judged(path, judge, words, negated)

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
            return self.reference(choice)
        if choice.path is None:
            raise AssertionError("a choice without constant, target and path cannot be parsed")
        only_stated = choice.condition is not None and choice.condition[0].fact == "states" and not choice.negated
        self._note(choice.path, only_stated=only_stated)
        return self._value(choice, choice.path, where)

    def _value(self, choice: Choice, path: Path, where: str) -> Made:
        get = getter(path)
        if path.segment and not path.many and not path.component:
            name = choice.type or "string"
            if name in PRIMITIVES and name not in _SEPARATE and not choice.table:
                return _of_field(path.segment, path.field, self.converter(name, where), "^")
            return _of_field(path.segment, path.field, self._conversion(choice, path, where), "")
        convert = self._conversion(choice, path, where)
        if not path.many or choice.type == "lines":

            def single(context: Context, zone: str) -> str:
                raw = get(context)
                return convert(raw, zone) if raw and raw != NULL else ""

            return single

        def each(context: Context, zone: str) -> str:
            raw = get(context)
            if "~" not in raw:
                return convert(raw, zone) if raw and raw != NULL else ""
            return ",".join(
                [text for one in raw.split("~", 1_000) if one and one != NULL and (text := convert(one, zone))]
            )

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

    def _note(self, path: Path, *, only_stated: bool = False, only_filled: bool = False) -> None:
        """Note what is looked at; a mention does not look at what only statements do."""
        if not only_filled:
            self._read.add((path.segment or "@" + path.fact, path.field))
        if path.segment:
            self._uses.add(path.segment)
            self._paths.add((path.segment, path.field))
            if not only_stated:
                self._fields.add((path.segment, path.field))
        if path.fact:
            self._paths.add(("@" + path.fact, 0))


def _judged(path: Path, judge: Callable[[str], bool], words: frozenset[str], negated: bool) -> Callable[[Any], bool]:
    """A condition on a whole field; most are judged without a look at what they hold, or were judged before."""
    segment, number = path.segment, path.field
    known: Remembered[bool] = Remembered(_JUDGED)

    def holds(context: Any) -> bool:
        fields = context.get(segment)
        if fields is None or number >= len(fields) or not (raw := fields[number]):
            return negated
        if not words and raw[:1].isalnum():
            return not negated
        found = known.get(raw)
        if found is None:
            found = judge(first) if (first := first_of(raw) if "~" in raw else raw) else negated
            if len(raw) < _SHORT:
                known.keep(raw, found)
        return found

    return holds


def _of_reference(name: str, key: str, make: Made) -> Made:
    """A member that is nothing but a reference, which the context has ready most of the time."""

    def member(context: Context, zone: str) -> str:
        text = context.get(key)
        if text is None:
            text = make(context, zone)
        return name + text if text else ""

    return member


def _of_field(segment: str, number: int, convert: Convert, sign: str) -> Made:
    """The most frequent case in one function: the first repetition of a field, up to a sign if there is one."""

    def field(context: Context, zone: str) -> str:
        fields = context.get(segment)
        if fields is None or number >= len(fields):
            return ""
        raw = fields[number]
        if not raw or raw == NULL:
            return ""
        if "~" in raw:
            raw = first_of(raw)
        return convert(raw.split(sign, 1)[0] if sign and sign in raw else raw, zone)

    return field
