"""The command that shows what would become of HL7 v2 messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xinglin.cli import run


def test_every_message_is_shown_with_its_resources_or_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "MSH|^~\\&|A||||2024||{}|{}|P|2.5\rPID|1||7||Li^Na\r"
    (tmp_path / "a.hl7").write_text(text.format("ADT^A28", "c1") + text.format("QRY^Q01", "c2"))
    run(["messages", str(tmp_path), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert [(one["message"], one["control_id"], one["outcome"]) for one in told["messages"]] == [
        (1, "c1", "landed"),
        (2, "c2", "quarantined"),
    ]
    assert told["messages"][0]["landed"] == {"Patient": 1, "MessageHeader": 1}
    assert told["totals"]["reasons"] == {"unsupported-message": 1}
    run(["messages", str(tmp_path)])
    shown = capsys.readouterr().out
    assert "2 messages: 1 landed, 1 quarantined" in shown
    assert "Li" not in shown
