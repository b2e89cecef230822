"""The generated reference pages are what the code gives, and their examples are valid."""

from __future__ import annotations

import re
from pathlib import Path

from tools.command_reference import command_reference
from tools.settings_reference import settings_reference

from xinglin.core.settings import Settings

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


def test_the_command_reference_is_what_the_command_line_gives():
    assert (REFERENCE / "commands.md").read_text(encoding="utf-8") == command_reference(), "run: make docs"


def test_the_settings_reference_is_what_the_settings_give():
    assert (REFERENCE / "settings.md").read_text(encoding="utf-8") == settings_reference(), "run: make docs"


def test_every_option_and_its_default_stand_in_the_command_reference():
    text = command_reference()

    assert "| `--seed INT` | " in text
    assert "(default: `2000`)" in text
    assert "## xinglin ledger prove consent" in text


def test_the_complete_example_of_settings_is_a_file_that_a_region_reads(tmp_path: Path):
    example = re.search(r"```toml\n(.*?)```", settings_reference(), re.DOTALL)
    assert example
    (tmp_path / "xinglin.toml").write_text(example[1])

    settings = Settings.load(tmp_path)

    assert (settings.buckets, settings.storage.url, settings.runner.kind) == (32, "s3://bucket/lake", "spark")
