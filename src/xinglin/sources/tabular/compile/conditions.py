"""Conditions on a row: present, absent, equals, in, not, all, any; several words at once all have to hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xinglin.sources.tabular.compile.scope import Row, Scope
from xinglin.sources.tabular.mapping.places import Path

__all__ = ["Holds", "condition"]

Holds = Callable[[Row], bool]


def condition(scope: Scope, tree: dict[str, Any], path: Path) -> Holds:
    """A function that says whether a condition holds for a row.

    Args:
        scope: The table.
        tree: The condition as the mapping says it.
        path: Where it stands.
    """
    tests = [_WORDS[word](scope, said, (*path, word)) for word, said in tree.items()]
    if len(tests) == 1:
        return tests[0]
    return lambda row: all(test(row) for test in tests)


def _present(scope: Scope, said: Any, path: Path) -> Holds:
    columns = [scope.column(name, path) for name in ([said] if isinstance(said, str) else said)]
    return lambda row: all(column(row) is not None for column in columns)


def _absent(scope: Scope, said: Any, path: Path) -> Holds:
    columns = [scope.column(name, path) for name in ([said] if isinstance(said, str) else said)]
    return lambda row: all(column(row) is None for column in columns)


def _equals(scope: Scope, said: Any, path: Path) -> Holds:
    pairs = [(scope.column(name, (*path, name)), value) for name, value in said.items()]
    return lambda row: all(column(row) == value for column, value in pairs)


def _in(scope: Scope, said: Any, path: Path) -> Holds:
    pairs = [(scope.column(name, (*path, name)), frozenset(values)) for name, values in said.items()]
    return lambda row: all(column(row) in values for column, values in pairs)


def _not(scope: Scope, said: Any, path: Path) -> Holds:
    test = condition(scope, said, path)
    return lambda row: not test(row)


def _all(scope: Scope, said: Any, path: Path) -> Holds:
    tests = [condition(scope, one, (*path, number)) for number, one in enumerate(said)]
    return lambda row: all(test(row) for test in tests)


def _any(scope: Scope, said: Any, path: Path) -> Holds:
    tests = [condition(scope, one, (*path, number)) for number, one in enumerate(said)]
    return lambda row: any(test(row) for test in tests)


_WORDS: dict[str, Callable[[Scope, Any, Path], Holds]] = {
    "present": _present,
    "absent": _absent,
    "equals": _equals,
    "in": _in,
    "not": _not,
    "all": _all,
    "any": _any,
}
