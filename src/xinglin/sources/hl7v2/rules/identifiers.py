"""Ways to an id, and the words that tell things apart."""

from __future__ import annotations

from typing import Any

from xinglin.sources.hl7v2.message.tree import Context
from xinglin.sources.hl7v2.rules.elements import NULL, Elements
from xinglin.sources.hl7v2.rules.expressions import Choice, Path, getter, parse_expression, parse_path
from xinglin.sources.hl7v2.rules.identity import hashed, own_id, valid_id
from xinglin.sources.hl7v2.rules.memo import Remembered
from xinglin.sources.hl7v2.rules.primitives import text_of
from xinglin.sources.hl7v2.rules.values import Made
from xinglin.sources.placeholders import is_placeholder, names_somebody

__all__ = ["Ways"]

_REMEMBERED = 1_024
_LONG = 200


class Ways(Elements):
    """Compiles ``id``, ``needs`` and ``requires`` of rules."""

    def _way(self, way: dict[str, Any], where: str) -> Made:
        """One way to an id."""
        if "message" in way:
            return _message_id
        if "identifier" in way:
            return self._identifier(way, where)
        if "described" in way:
            return self._described(way, where)
        needed = [self._word(one, where) for one in way["hash"]]
        more = [self._word(one, where) for one in way.get("with", ())]
        count, begin = way.get("count") == "true", f"{where}|"

        def identify(context: Context, zone: str) -> str:
            found = []
            for make in needed:
                if not (word := make(context, zone)):
                    return ""
                found.append(word)
            for make in more:
                found.append(make(context, zone))
            text = "|".join(found)
            if count:
                seen = context["@seen"]
                number = seen[text] = seen.get(text, 0) + 1
                if number > 1:
                    text += f"|{number}"
            return hashed(begin + text)

        return identify

    def _need(self, line: str, where: str) -> Made:
        """Whether a line gives anything; quick where that is a question of one field's word."""
        choices = parse_expression(line, where)
        path, words = choices[0].condition or (Path(), frozenset())
        if all(choice.path and choice.path.segment and not (choice.type or choice.table) for choice in choices):
            return self._filled(choices)
        if len(choices) > 1 or choices[0].constant is None or not (path.segment and words) or path.component:
            return self.element(line, where).make
        self._note(path)
        segment, number, negated = path.segment, path.field, choices[0].negated

        def need(context: Context, zone: str) -> str:
            fields = context.get(segment)
            word = fields[number] if fields is not None and number < len(fields) else ""
            return "yes" if (word in words) is not negated else ""

        return need

    def _filled(self, choices: list[Choice]) -> Made:
        """Whether one of some paths has anything: a text without a code is there, too (v2.5.1, 2.A.6)."""
        for choice in choices:
            self._note(choice.path or Path())
        tests = [(getter(choice.path or Path()), self.condition(choice)) for choice in choices]

        def filled(context: Context, zone: str) -> str:
            for get, holds in tests:
                raw = get(context)
                if raw and raw != NULL and raw.strip("^&~ ") and holds(context):
                    return "yes"
            return ""

        return filled

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
                if raw and raw != NULL and raw.strip("^&~ "):
                    return raw
            return ""

        fields = {(path.segment, path.field) for path in paths}
        return _word_of(*fields.pop(), word) if len(fields) == 1 and paths[0].segment else word

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
                listed = [
                    one
                    for raw in get(context).split("~", 100)
                    if (number := text_of((one := raw.split("^", 60))[0])) or value
                    if not (prefer and is_placeholder(number))
                ]
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

    def _described(self, way: dict[str, Any], where: str) -> Made:
        """A patient whose number is a placeholder, by a name that names somebody, the day of birth and the sex."""
        paths = [parse_path(line, where) for line in way["described"]]
        for path in paths:
            self._note(path)
        name, day, *more = [getter(path) for path in paths]

        def identify(context: Context, zone: str) -> str:
            parts = [text_of(part.split("&", 1)[0]) for part in [*name(context).split("^"), ""][:2]]
            born = text_of(day(context))[:8]
            if not names_somebody(*parts) or len(born) < 8 or not born.isdigit() or "00" in (born[4:6], born[6:]):
                return ""
            return hashed("|".join([where, *parts, born, *(text_of(get(context)) for get in more)]))

        return identify


def _word_of(segment: str, number: int, word: Made) -> Made:
    """A word that depends on one field, remembered by what the field holds."""
    known: Remembered[str] = Remembered(_REMEMBERED)

    def remembered(context: Context, zone: str) -> str:
        fields = context.get(segment)
        if fields is None or number >= len(fields) or not (raw := fields[number]):
            return ""
        found = known.get(raw)
        if found is None:
            found = word(context, zone)
            if len(raw) < _LONG:
                known.keep(raw, found)
        return found

    return remembered


def _message_id(context: Context, zone: str) -> str:
    """MSH-10 if it can be an id; else a hash with sender and moment; without any the hash of the message itself."""
    fields = [*context["MSH"], *[""] * 11][:11]
    control = text_of(fields[10])
    if valid_id(control):
        return control
    return hashed("|".join(["message", control, fields[3], fields[4], fields[7]] if control else [context["@digest"]]))
