"""Anchor consents, and withdrawals, that could not reach the ledger before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xinglin.core.errors import XinglinError
from xinglin.core.settings import Settings

if TYPE_CHECKING:
    from xinglin.flows.anchor.everything import AnchorReport
    from xinglin.ledger import Ledger, Signer

__all__ = ["with_consents"]


def with_consents(settings: Settings, ledger: Ledger, signer: Signer, report: AnchorReport) -> AnchorReport:
    """Tell the ledger of consents, and withdrawals, that could not reach it before."""
    from xinglin.access.consent.commitments import FILE
    from xinglin.access.consent.store import ConsentStore

    if not (settings.access_folder / FILE).is_file():
        return report
    store = ConsentStore(settings.access_folder)
    try:
        waiting, reason = store.submit_pending(ledger, signer), "consents wait for a commit"
    except XinglinError as error:
        waiting, reason = 1, error.what
    finally:
        store.close()
    return replace(report, left=report.left + waiting, reason=report.reason or reason) if waiting else report
