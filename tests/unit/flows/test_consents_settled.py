"""A consent that could not reach the ledger gets there with the next anchoring."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from xinglin.access.consent.register import Terms, compose
from xinglin.access.consent.store import ConsentStore
from xinglin.admission.admit import found_access
from xinglin.core.errors import LedgerUnavailable
from xinglin.core.permit import CLOSED
from xinglin.core.settings import Settings
from xinglin.ledger import Ledger
from xinglin.wiring import anchor_region, assemble, open_ledger, open_signer


class Gone:
    """A ledger that does not answer."""

    def __getattr__(self, name: str) -> Any:
        raise LedgerUnavailable("the ledger does not answer")


def test_a_consent_that_waits_is_told_with_the_next_anchoring(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    settings.save()
    found_access(settings, datetime(2026, 3, 1, tzinfo=UTC))
    store = ConsentStore(settings.access_folder)
    ledger = open_ledger(settings)
    signer = open_signer(settings, ledger)
    kept = store.put(compose(5, Terms(permit=True, purposes=("HRESCH",))), cast(Ledger, Gone()), signer)
    assert kept.state == "putting"
    signer.close()
    assert anchor_region(assemble(settings, CLOSED)).left == 0
    assert store.get(kept.handle).state == "granted"
    store.close()
