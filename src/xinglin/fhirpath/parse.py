"""Parse a FHIRPath expression (normative release 2.0) to a tree."""

from __future__ import annotations

from functools import cache

from xinglin.fhirpath.errors import PathSyntax
from xinglin.fhirpath.tokens import Token, tokens_of
from xinglin.fhirpath.tree import (
    Binary,
    Call,
    Empty,
    Expression,
    Index,
    Literal,
    Member,
    This,
    TypeTest,
    Unary,
    Variable,
)

__all__ = ["parse"]

_LEVELS: tuple[frozenset[str], ...] = tuple(
    frozenset(words.split())
    for words in (
        "implies",
        "or xor",
        "and",
        "in contains",
        "= ~ != !~",
        "< <= > >=",
        "|",
        "is as",
        "+ - &",
        "* / div mod",
    )
)
"""Binary operators by precedence, lowest first."""
_WORDS = frozenset(("implies", "or", "xor", "and", "in", "contains", "is", "as", "div", "mod"))
_DEEPEST = 40
"""Maximum nesting, so that an expression cannot exhaust Python's stack."""


@cache
def parse(expression: str) -> Expression:
    """Parse an expression to its tree.

    Raises:
        PathSyntax: It is not FHIRPath.

    Example:
        >>> parse("name.first().family")
        Member(base=Call(base=Member(base=None, name='name'), name='first', arguments=()), name='family')
    """
    return _Parser(tokens_of(expression)).whole()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def sees(self, *texts: str) -> bool:
        return self.token.kind in ("symbol", "name") and self.token.text in texts

    def expect(self, text: str) -> None:
        if not self.sees(text):
            raise self.wrong(f"'{text}'")
        self.take()

    def wrong(self, expected: str) -> PathSyntax:
        found = f"'{self.token.text}'" if self.token.text else "its end"
        return PathSyntax(f"expected {expected}, found {found} at character {self.token.position + 1}")

    def whole(self) -> Expression:
        expression = self.binary(0)
        if self.token.kind != "end":
            raise self.wrong("the end of the expression")
        return expression

    def binary(self, level: int) -> Expression:
        if level == 0:
            self.depth += 1
            if self.depth > _DEEPEST:
                raise PathSyntax(f"the expression is nested deeper than {_DEEPEST} levels")
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while self.sees(*_LEVELS[level]):
            operator = self.take().text
            if operator in ("is", "as"):
                left = TypeTest(operator, left, self.type_name())
            else:
                left = Binary(operator, left, self.binary(level + 1))
        if level == 0:
            self.depth -= 1
        return left

    def type_name(self) -> str:
        name = self.identifier()
        while self.sees("."):
            self.take()
            name = self.identifier()
        return name

    def unary(self) -> Expression:
        if self.sees("-", "+"):
            return Unary(self.take().text, self.unary())
        return self.postfix(self.term())

    def postfix(self, expression: Expression) -> Expression:
        while self.sees(".", "["):
            if self.take().text == ".":
                expression = self.invocation(expression)
            else:
                expression = Index(expression, self.binary(0))
                self.expect("]")
        return expression

    def invocation(self, base: Expression | None) -> Expression:
        name = self.identifier()
        if not self.sees("("):
            return Member(base, name)
        self.take()
        arguments: list[Expression] = []
        while not self.sees(")"):
            if arguments:
                self.expect(",")
            arguments.append(self.binary(0))
        self.take()
        return Call(base, name, tuple(arguments))

    def identifier(self) -> str:
        if self.token.kind not in ("name", "quoted"):
            raise self.wrong("a name")
        return self.take().text

    def term(self) -> Expression:
        token = self.token
        if token.kind in ("string", "integer", "decimal", "date", "dateTime", "time"):
            self.take()
            if self.token.kind == "string":
                raise PathSyntax("quantities with a unit cannot be written in a view; compare their value")
            return Literal(token.text, token.kind)
        if token.kind == "name" and token.text in ("true", "false"):
            self.take()
            return Literal(token.text, "boolean")
        if token.kind == "this":
            return This(self.take().text)
        if token.kind == "variable":
            return Variable(self.take().text)
        if self.sees("("):
            self.take()
            inner = self.binary(0)
            self.expect(")")
            return inner
        if self.sees("{"):
            self.take()
            self.expect("}")
            return Empty()
        if token.kind in ("name", "quoted") and token.text not in _WORDS - {"contains", "in", "is", "as"}:
            return self.invocation(None)
        raise self.wrong("an expression")
