"""Result codes of transactions: one number per reason, the same in every adapter."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Code"]


class Code(IntEnum):
    """The result of a transaction; zero means success (ABCI 2.0, ``ExecTxResult.code``).

    The numbers are part of the consensus between institutions: add new ones, never change existing ones.

    Example:
        >>> Code(0).name, Code.REPLAYED_SEQ.reason
        ('OK', 'the sequence number was used before')
    """

    reason: str

    def __new__(cls, number: int, reason: str) -> Code:
        """A number with its explanation."""
        code = int.__new__(cls, number)
        code._value_ = number
        code.reason = reason
        return code

    OK = 0, "accepted"

    # Envelope, in the order of the checks.
    OVERSIZED = 1, "the transaction is larger than 64 KiB"
    MALFORMED = 2, "the transaction is not a canonical envelope"
    FOREIGN_CHAIN = 3, "the transaction is for another chain"
    UNKNOWN_KEY = 4, "no institution has this key"
    FOREIGN_KEY = 5, "the key belongs to another institution"
    REVOKED_KEY = 6, "the key was revoked"
    BAD_SIGNATURE = 7, "the signature is invalid"
    EXPIRED = 8, "the transaction has expired"
    TOO_FAR_AHEAD = 9, "the transaction is valid for more than one day"
    REPLAYED_SEQ = 10, "the sequence number was used before"
    STALE_SEQ = 11, "the sequence number is more than 1,024 below the highest"

    # Body.
    UNKNOWN_TYPE = 20, "the transaction type is unknown"
    BAD_BODY = 21, "the body does not match its type"
    UNPROVEN_KEY = 22, "the new key has no valid proof of possession"

    # State.
    WRONG_SEQUENCE = 30, "the batch number does not follow the last batch of the site"
    WRONG_PREVIOUS = 31, "the previous value is not the current one"
    FOREIGN_NAME = 32, "the name belongs to another institution"
    ALREADY_ANCHORED = 33, "this is already anchored"
    UNKNOWN_BATCH = 34, "the batch is not anchored"
    CONSENT_WITHDRAWN = 35, "the consent was withdrawn; a new consent needs a new handle"
    UNKNOWN_CONSENT = 36, "the consent is unknown"
    KNOWN_KEY = 37, "the key is already registered"
    LAST_KEY = 38, "an institution needs at least one key"
    UNKNOWN_PROPOSAL = 39, "the proposal is unknown"
    CLOSED_PROPOSAL = 40, "the proposal was decided or has expired"
    NO_POWER = 41, "the institution has no voting power"
    NO_CHANGE = 42, "the proposal changes nothing or contradicts the current members"
    POWERLESS_CHAIN = 43, "no institution would have voting power"
