"""The command line names a denial as a denial."""

from __future__ import annotations

from pathlib import Path

import pytest

from xinglin.cli import run


@pytest.mark.parametrize("option, kind", [([], "Consent"), (["--deny"], "Denial")], ids=["permit", "deny"])
def test_a_consent_or_denial_is_printed_as_what_it_is(
    option: list[str], kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = str(tmp_path / "home")
    assert run(["init", home]) == 0
    assert run(["consent", "grant", "--person", "5", "--purpose", "HRESCH", *option, "--home", home]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith(f"{kind} ")
    assert said.endswith(" is in force.")
