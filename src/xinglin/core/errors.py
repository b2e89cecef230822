"""Every error Xinglin raises on purpose.

XinglinError                what went wrong, where, what to do, whether a retry can help
├── UsageError              the call's words are off                            (exit code 2)
├── BadInput                a whole input cannot be read at all
│   └── RejectedBatch       a batch was refused as a whole; nothing of it was landed
├── AccessDenied            somebody may not do this; the refusal is in the audit log
├── NotFound                a site, batch, row or file that is not there
├── Conflict                somebody else holds the lock, or a decision contradicts an earlier one
├── StorageError            the disk or the object store refused (full, read-only, gone)
├── LedgerUnavailable       the ledger cannot answer now; nothing was lost
├── JobFailed               a developer's job raised; its traceback is told
├── VerificationFailed      a landed byte, hash or signature is not what was signed
├── ReleaseRefused          an extract would tell too much of single persons
├── QualityFailed           a blocking quality check failed
└── ContractViolation       a stage wrote something its contract forbids (a defect of Xinglin)
"""

from __future__ import annotations

__all__ = [
    "AccessDenied",
    "BadInput",
    "Conflict",
    "ContractViolation",
    "JobFailed",
    "LedgerUnavailable",
    "NotFound",
    "QualityFailed",
    "RejectedBatch",
    "ReleaseRefused",
    "StorageError",
    "UsageError",
    "VerificationFailed",
    "XinglinError",
]


class XinglinError(Exception):
    """What went wrong, where, what to do about it; never a patient's value.

    Args:
        what: One sentence saying what is wrong.
        source: The file, site, table or row it happened at.
        remedy: What the reader can do.
        retry: Whether the same call can succeed later without any change.

    Example:
        >>> error = XinglinError("17 of 2,000 rows have no unit", source="lab-07", remedy="add the unit")
        >>> str(error)
        '17 of 2,000 rows have no unit (lab-07). To mend it: add the unit.'
    """

    exit_code = 1

    def __init__(self, what: str, *, source: str = "", remedy: str = "", retry: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.source = source
        self.remedy = remedy
        self.retry = retry

    def __str__(self) -> str:
        text = self.what
        if self.source:
            text += f" ({self.source})"
        if self.remedy:
            text += f". To mend it: {self.remedy}."
        if self.retry:
            text += " Trying again can help."
        return text


class UsageError(XinglinError):
    """The call's words are off."""

    exit_code = 2


class BadInput(XinglinError):
    """A whole input cannot be read at all."""


class RejectedBatch(BadInput):
    """A batch was refused as a whole; nothing of it was landed."""


class AccessDenied(XinglinError):
    """Somebody may not do this; whoever decided it has written it down."""


class NotFound(XinglinError):
    """A site, batch, row or file that is not there."""


class Conflict(XinglinError):
    """Somebody else holds the lock, or a decision contradicts an earlier one."""


class StorageError(XinglinError):
    """The disk or the object store refused."""


class LedgerUnavailable(XinglinError):
    """The ledger cannot answer now; what must be anchored is found again later."""


class JobFailed(XinglinError):
    """A developer's job raised; its traceback is told."""


class VerificationFailed(XinglinError):
    """A landed byte, hash or signature is not what was signed."""


class ReleaseRefused(XinglinError):
    """An extract would tell too much of single persons."""


class QualityFailed(XinglinError):
    """A blocking quality check failed."""


class ContractViolation(XinglinError):
    """A stage wrote something its contract forbids."""
