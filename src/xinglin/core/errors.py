"""Every error that Xinglin raises itself.

XinglinError                what is wrong, where, how to fix it, whether a retry can help
├── UsageError              an argument, option or setting is wrong               (exit code 2)
├── BadInput                an input cannot be read
│   └── RejectedBatch       a whole batch was rejected; none of it was landed
├── AccessDenied            the actor may not do this; the audit log has the refusal
├── NotFound                a site, batch, row or file does not exist
├── Conflict                another process holds the lock, or a decision contradicts an earlier one
├── StorageError            the disk or the object store failed (full, read-only, unreachable)
├── LedgerUnavailable       the ledger does not answer; nothing is lost
├── JobFailed               a job's script raised an exception; the message has its traceback
├── VerificationFailed      bytes, a hash or a signature differ from what was signed
├── ReleaseRefused          an extract would disclose too much about single persons
├── QualityFailed           a blocking quality check failed
└── ContractViolation       a stage wrote rows that its contract forbids (a defect of Xinglin)
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
    """What is wrong, where, and how to fix it; never a patient's value.

    Args:
        what: What is wrong, in one sentence.
        source: The file, site, table, row or option concerned.
        remedy: How to fix it, as an imperative without a full stop.
        retry: Whether the same call may succeed later without any change.

    Example:
        >>> error = XinglinError("17 of 2,000 rows have no unit", source="lab-07", remedy="add the unit")
        >>> str(error)
        '17 of 2,000 rows have no unit (lab-07). Fix: add the unit.'
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
            text += f". Fix: {self.remedy}."
        if self.retry:
            text += " Retrying may help."
        return text


class UsageError(XinglinError):
    """An argument, option or setting is wrong."""

    exit_code = 2


class BadInput(XinglinError):
    """An input cannot be read."""


class RejectedBatch(BadInput):
    """A whole batch was rejected; none of it was landed."""


class AccessDenied(XinglinError):
    """The actor may not do this; the audit log has the refusal."""


class NotFound(XinglinError):
    """A site, batch, row or file does not exist."""


class Conflict(XinglinError):
    """Another process holds the lock, or a decision contradicts an earlier one."""


class StorageError(XinglinError):
    """The disk or the object store failed."""


class LedgerUnavailable(XinglinError):
    """The ledger does not answer; what is not anchored yet is anchored by a later command."""


class JobFailed(XinglinError):
    """A job's script raised an exception; the message has its traceback."""


class VerificationFailed(XinglinError):
    """Bytes, a hash or a signature differ from what was signed."""


class ReleaseRefused(XinglinError):
    """An extract would disclose too much about single persons."""


class QualityFailed(XinglinError):
    """A blocking quality check failed."""


class ContractViolation(XinglinError):
    """A stage wrote rows that its contract forbids."""
