"""What a region made is brought to its ledger, whatever state that is in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xinglin.core.errors import Conflict, VerificationFailed, XinglinError
from xinglin.core.settings import Settings
from xinglin.flows import Stores
from xinglin.wiring.ledgers import open_ledger, open_signer

if TYPE_CHECKING:
    from xinglin.flows.anchor import AnchorReport
    from xinglin.ledger import Ledger, Signer

__all__ = ["anchor_region"]


def anchor_region(stores: Stores, wait: float | None = 5.0) -> AnchorReport:
    """Anchor what the ledger does not hold yet; whatever goes wrong is told in the report, and anchored later.

    Args:
        stores: The region, as far as its permit goes.
        wait: Seconds to wait for commits.
    """
    from xinglin.access import AuditLog
    from xinglin.flows.anchor import AnchorReport, anchor_all

    settings = stores.settings
    try:
        ledger = open_ledger(settings)
        try:
            signer = open_signer(settings, ledger)
            try:
                report = anchor_all(stores, ledger, signer, AuditLog(settings.access_folder / "audit"), wait)
                return _with_consents(settings, ledger, signer, report)
            finally:
                signer.close()
        finally:
            ledger.close()
    except XinglinError as error:
        lasting = isinstance(error, (Conflict, VerificationFailed)) and not error.retry
        return AnchorReport(reason=error.what, remedy=error.remedy if lasting else "")


def _with_consents(settings: Settings, ledger: Ledger, signer: Signer, report: AnchorReport) -> AnchorReport:
    """Tell the ledger of consents, and withdrawals, that could not reach it before."""
    from xinglin.access.commitments import FILE
    from xinglin.access.consents import ConsentStore

    if not (settings.access_folder / FILE).is_file():
        return report
    store = ConsentStore(settings.access_folder)
    try:
        waiting, reason = store.settle(ledger, signer), "consents wait for a commit"
    except XinglinError as error:
        waiting, reason = 1, error.what
    finally:
        store.close()
    return replace(report, left=report.left + waiting, reason=report.reason or reason) if waiting else report
