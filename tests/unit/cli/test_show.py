"""What others wrote is shown, never obeyed."""

from __future__ import annotations

import pytest

from xinglin.cli.show import complain, print_table, say


def test_a_table_shows_marks_and_commands_instead_of_obeying_them(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("by x[/foo]", ["[/column]"], [["[/value] [red]x[/red]"], ["\x1b[2Jgone\rover\u202e"]])
    said = capsys.readouterr().out
    for text in ("by x[/foo]", "[/column]", "[/value] [red]x[/red]", "\ufffd[2Jgone\ufffdover\ufffd"):
        assert text in said
    assert "\x1b[2J" not in said


def test_a_line_carries_no_commands_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\n\ttwo\x1b[0m")
    complain("three\x9b0m")
    assert capsys.readouterr() == ("one\n\ttwo\ufffd[0m\n", "xinglin: three\ufffd0m\n")
