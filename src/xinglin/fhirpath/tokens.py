"""Tokens of a FHIRPath expression."""

from __future__ import annotations

import re
from dataclasses import dataclass

from xinglin.fhirpath.errors import PathSyntax

__all__ = ["Token", "tokens_of"]

_TIME = r"\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?"
_PATTERN = re.compile(
    rf"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<time>@T{_TIME})
  | (?P<dateTime>@\d{{4}}(?:-\d\d(?:-\d\d)?)?T(?:{_TIME}(?:Z|[+-]\d\d:\d\d)?)?)
  | (?P<date>@\d{{4}}(?:-\d\d(?:-\d\d)?)?)
  | (?P<decimal>\d+\.\d+)
  | (?P<integer>\d+)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<name>[A-Za-z_]\w*)
  | (?P<quoted>`(?:[^`\\]|\\.)*`)
  | (?P<this>\$(?:this|index|total)\b)
  | (?P<variable>%(?:[A-Za-z_][\w-]*|`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*'))
  | (?P<symbol><=|>=|!=|!~|[-+*/&|=~<>.,()\[\]{{}}])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}


@dataclass(frozen=True)
class Token:
    """One token: its kind, its text without quotes, and its position."""

    kind: str
    text: str
    position: int


def tokens_of(expression: str) -> list[Token]:
    """The tokens of an expression, followed by an ``end``.

    Raises:
        PathSyntax: A character is not allowed.

    Example:
        >>> [token.text for token in tokens_of("name.where(use = 'official')")]
        ['name', '.', 'where', '(', 'use', '=', 'official', ')', '']
    """
    tokens: list[Token] = []
    position = 0
    while position < len(expression):
        match = _PATTERN.match(expression, position)
        if match is None or match.lastgroup is None:
            raise PathSyntax(f"character {position + 1} of the expression is not allowed here")
        if match.lastgroup != "space":
            tokens.append(Token(match.lastgroup, _text(match.lastgroup, match[0]), position))
        position = match.end()
    return [*tokens, Token("end", "", position)]


def _text(kind: str, text: str) -> str:
    if kind in ("string", "quoted"):
        return _unescaped(text[1:-1])
    if kind == "variable":
        return _unescaped(text[2:-1]) if text[1] in "`'" else text[1:]
    if kind in ("date", "dateTime"):
        return text[1:].removesuffix("T")
    if kind == "time":
        return text[2:]
    return text


def _unescaped(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return _ESCAPES.get(match[2], match[2])

    return re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", replace, text, flags=re.DOTALL)
