"""Errors say what, where, what to do, whether a retry can help."""

from __future__ import annotations

import pytest

from xinglin.core import errors
from xinglin.core.errors import RejectedBatch, UsageError, XinglinError


def test_an_error_says_what_where_what_to_do_and_whether_to_try_again() -> None:
    error = RejectedBatch("17 rows have no unit", source="lab-07", remedy="add the unit", retry=True)

    assert str(error) == "17 rows have no unit (lab-07). Fix: add the unit. Retrying may help."


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_a_xinglin_error_drawn_in_the_tree(name: str) -> None:
    kind = getattr(errors, name)

    assert issubclass(kind, XinglinError)
    assert name in (errors.__doc__ or "")


def test_everything_that_is_drawn_is_exported() -> None:
    defined = {name for name, value in vars(errors).items() if isinstance(value, type)}

    assert defined == set(errors.__all__)


def test_wrong_words_exit_with_2_and_wrong_work_with_1() -> None:
    assert UsageError.exit_code == 2
    assert {getattr(errors, name).exit_code for name in errors.__all__ if name != "UsageError"} == {1}
