"""Why a transaction was refused: one number for each reason, the same in every adapter."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Code"]


class Code(IntEnum):
    """The outcome of a transaction; zero is the only success (ABCI 2.0, ``ExecTxResult.code``).

    The numbers are part of the consensus between institutions: one is added, none is ever changed.

    Example:
        >>> Code(0).name, Code.REPLAYED_SEQ.reason
        ('OK', 'the sequence number was used before')
    """

    reason: str

    def __new__(cls, number: int, reason: str) -> Code:
        """A number with the sentence that explains it."""
        code = int.__new__(cls, number)
        code._value_ = number
        code.reason = reason
        return code

    OK = 0, "accepted"

    # The envelope, in the order in which it is checked.
    OVERSIZED = 1, "the transaction is larger than 64 KiB"
    MALFORMED = 2, "the transaction is not a canonical envelope"
    FOREIGN_CHAIN = 3, "the transaction is for another chain"
    UNKNOWN_KEY = 4, "no institution has this key"
    FOREIGN_KEY = 5, "the key belongs to another institution"
    REVOKED_KEY = 6, "the key was revoked"
    BAD_SIGNATURE = 7, "the signature is wrong"
    EXPIRED = 8, "the block's time is past the transaction's validity"
    TOO_FAR_AHEAD = 9, "the transaction would be valid for more than a day"
    REPLAYED_SEQ = 10, "the sequence number was used before"
    STALE_SEQ = 11, "the sequence number is more than 1,024 below the highest"

    # The body.
    UNKNOWN_TYPE = 20, "there is no such type of transaction"
    BAD_BODY = 21, "the body is not of the form that its type asks for"
    UNPROVEN_KEY = 22, "whoever brings the key has not shown that it is theirs"

    # What the state says.
    WRONG_SEQUENCE = 30, "the batch is not the next one of its site"
    WRONG_PREVIOUS = 31, "the previous value named is not the current one"
    FOREIGN_NAME = 32, "the name belongs to another institution"
    ALREADY_ANCHORED = 33, "the same is anchored already"
    UNKNOWN_BATCH = 34, "no such batch is anchored"
    CONSENT_WITHDRAWN = 35, "the consent was withdrawn; a new one takes a new handle"
    UNKNOWN_CONSENT = 36, "there is no such consent"
    KNOWN_KEY = 37, "the key is registered already"
    LAST_KEY = 38, "an institution keeps at least one key"
    UNKNOWN_PROPOSAL = 39, "there is no such proposal"
    CLOSED_PROPOSAL = 40, "the proposal is decided or its time is over"
    NO_POWER = 41, "the institution has no voting power"
    NO_CHANGE = 42, "the proposal would change nothing or contradicts what is there"
    POWERLESS_CHAIN = 43, "nobody would have any voting power"
