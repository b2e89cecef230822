"""A refusal says what is wrong, who may, and what to do."""

from __future__ import annotations

import pytest

from xinglin.access.credentials import actor
from xinglin.access.decisions import decision
from xinglin.access.decisions.refusal import refusal
from xinglin.cli.intents import INTENTS
from xinglin.core.intent import Intent

REASONS = [
    *(getattr(actor, name) for name in actor.__all__ if name.isupper() and name != "ROLES"),
    *(getattr(decision, name) for name in decision.__all__ if name.isupper()),
]


@pytest.mark.parametrize("reason", [one for one in REASONS if one not in {"permitted", "break-glass"}])
def test_every_reason_has_words_and_a_way_out(reason: str) -> None:
    error = refusal(reason, Intent("read"), ("analyst",))
    assert error.source == reason
    assert len(error.what) > len("refused: ") + 10 and error.remedy


@pytest.mark.parametrize("words", [words for words, intent in INTENTS.items() if intent])
def test_somebody_may_run_every_command(words: str) -> None:
    intent = INTENTS[words]
    assert intent is not None
    error = refusal("outside-role", intent, ("site-agent",))
    assert error.remedy.startswith("use a credential with a role that may: ")
    assert "role site-agent" in error.what
