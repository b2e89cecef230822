"""What exists is compared with the ledger, and the difference anchored."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.ledgers import CHAIN, TurnedClock, genesis, seed
from xinglin.admission import Stores
from xinglin.cli.governance.ledger import tell_anchors
from xinglin.core.clock import fixed_clock
from xinglin.core.errors import LedgerUnavailable, VerificationFailed
from xinglin.core.permit import OPEN, Permit
from xinglin.core.settings import Settings
from xinglin.flows.anchor.everything import AnchorReport, anchor_all
from xinglin.flows.evidence.verify import Anchors, verify_anchors
from xinglin.lake import Lake
from xinglin.landing import Landing, ingest
from xinglin.ledger import EmbeddedLedger, Receipt, Signer
from xinglin.ledger.transactions import cbor

CLOCK = fixed_clock(datetime(2026, 1, 1, tzinfo=UTC))


class Region:
    """A landing with two sites, a ledger, and who signs for it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = Settings(home, threads=1)
        self.landing = Landing(home / "landing", permit=OPEN)
        for site in ("lab", "mercy"):
            self.landing.add_site(site, "hospital")
        self.ledger = EmbeddedLedger.create(home / "ledger", genesis(), TurnedClock())
        self.signer = Signer("hospital", seed("hospital"), CHAIN, home / "sequences.sqlite", TurnedClock())

    def land(self, site: str, number: int) -> None:
        path = self.home / "one.ndjson"
        path.write_text(json.dumps({"resourceType": "Patient", "id": f"p{number}"}) + "\n")
        ingest(self.landing, path, site, settings=self.settings, clock=CLOCK)

    def stores(self, permit: Permit = OPEN) -> Stores:
        landing = Landing(self.home / "landing", permit=permit)
        return Stores(self.settings, landing, Lake(self.home / "lake", permit=permit), CLOCK)

    def anchor(self, **changed: Any) -> AnchorReport:
        return anchor_all(self.stores(), changed.get("ledger", self.ledger), self.signer)


@pytest.fixture
def region(tmp_path: Path) -> Region:
    return Region(tmp_path)


def test_every_batch_is_anchored_once_in_the_order_of_its_site(region: Region) -> None:
    for number in range(3):
        region.land("lab", number)
    region.land("mercy", 0)
    assert verify_anchors(region.stores(), region.ledger) == Anchors(0, 4)
    assert region.anchor() == AnchorReport(batches=4)
    assert region.anchor() == AnchorReport()
    region.land("mercy", 1)
    assert region.anchor() == AnchorReport(batches=1)
    assert verify_anchors(region.stores(), region.ledger) == Anchors(5, 0)
    entry = cbor.decode(region.ledger.state(b"data/lab/00000003") or b"")
    batch = region.landing.batches("lab")[2]
    assert (entry["manifest"].hex(), entry["root"].hex()) == (batch.digest, batch.manifest["merkle_root"])


def test_a_batch_that_took_the_place_of_an_anchored_one_is_named(region: Region, tmp_path: Path) -> None:
    region.land("lab", 0)
    region.anchor()
    shutil.rmtree(region.landing.batches("lab")[0].path)
    region.landing = Landing(tmp_path / "landing", permit=OPEN)
    region.land("lab", 5)
    region.land("mercy", 0)
    reason = "the ledger holds another batch 1 of lab than the one that lies here"
    assert region.anchor() == AnchorReport(batches=1, reason=reason, remedy="run: xinglin verify")
    with pytest.raises(VerificationFailed, match="not the one that was anchored"):
        verify_anchors(region.stores(), region.ledger)


class Gone(EmbeddedLedger):
    """A ledger that can be read and not written."""

    def submit(self, transactions: Sequence[bytes], wait: float | None = None) -> list[Receipt]:
        raise LedgerUnavailable("nobody answers", retry=True)


def test_a_ledger_that_cannot_be_reached_is_said_and_caught_up_with(region: Region) -> None:
    region.land("lab", 0)
    gone = Gone(region.home / "ledger", TurnedClock())
    assert region.anchor(ledger=gone) == AnchorReport(reason="nobody answers")
    assert region.anchor() == AnchorReport(batches=1)


def test_a_site_of_somebody_else_is_not_said_to_mend_itself(region: Region) -> None:
    region.land("lab", 0)
    region.anchor()
    region.land("lab", 1)
    region.signer = Signer("hospital", seed("stranger"), CHAIN, region.home / "sequences.sqlite", TurnedClock())
    report = region.anchor()
    assert (report.left, report.reason) == (1, "no institution has this key")
    assert "refused again" in report.remedy


def test_what_may_not_be_read_is_not_anchored(region: Region) -> None:
    region.land("lab", 0)
    nothing = region.stores(Permit(frozenset({"mart"}), frozenset(), "d-1"))
    assert anchor_all(nothing, region.ledger, region.signer) == AnchorReport()


def test_a_batch_in_the_place_of_an_anchored_one_is_not_said_to_mend_itself(capsys: pytest.CaptureFixture[str]) -> None:
    tell_anchors(AnchorReport(reason="nobody answers"))
    assert "the next command does it" in capsys.readouterr().out
    tell_anchors(AnchorReport(segments=1, reason="another batch 1 of lab lies here", remedy="run: xinglin verify"))
    said = capsys.readouterr().out
    assert "NOT anchored: another batch 1 of lab lies here. run: xinglin verify" in said
    assert "next command" not in said
