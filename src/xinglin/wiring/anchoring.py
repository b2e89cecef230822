"""What a region made is brought to its ledger, whatever state that is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xinglin.admission import Stores
from xinglin.core.errors import Conflict, VerificationFailed, XinglinError
from xinglin.wiring.ledgers import open_ledger, open_signer

if TYPE_CHECKING:
    from xinglin.flows.anchor.everything import AnchorReport

__all__ = ["anchor_region"]


def anchor_region(stores: Stores, wait: float | None = 5.0) -> AnchorReport:
    """Anchor what the ledger does not hold yet; whatever goes wrong is told in the report, and anchored later.

    Args:
        stores: The region, as far as its permit goes.
        wait: Seconds to wait for commits.
    """
    from xinglin.access import AuditLog
    from xinglin.flows.anchor.consents import with_consents
    from xinglin.flows.anchor.everything import AnchorReport, anchor_all

    settings = stores.settings
    try:
        ledger = open_ledger(settings)
        try:
            signer = open_signer(settings, ledger)
            try:
                report = anchor_all(stores, ledger, signer, AuditLog(settings.access_folder / "audit"), wait)
                return with_consents(settings, ledger, signer, report)
            finally:
                signer.close()
        finally:
            ledger.close()
    except XinglinError as error:
        lasting = isinstance(error, (Conflict, VerificationFailed)) and not error.retry
        return AnchorReport(reason=error.what, remedy=error.remedy if lasting else "")
