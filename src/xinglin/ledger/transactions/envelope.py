"""The signed envelope of a transaction."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from xinglin.ledger.codes import Code
from xinglin.ledger.transactions import cbor
from xinglin.ledger.transactions.shapes import Shapes, shape_of

if TYPE_CHECKING:
    from nacl.signing import SigningKey

__all__ = [
    "DAY",
    "DOMAIN",
    "MAX_BYTES",
    "Envelope",
    "Refused",
    "digest_of",
    "key_id_of",
    "open_envelope",
    "seal",
    "seal_with",
]

DOMAIN = b"xinglin transaction 2\x00"
MAX_BYTES = 65_536
DAY = 86_400

_VERSION = 2
_MAX_SEQ = 2**63 - 1
_FIELDS = {
    "v": int,
    "seq": int,
    "body": dict,
    "type": str,
    "key_id": str,
    "chain_id": str,
    "institution": str,
    "valid_until": int,
}
"""Fields of an envelope, in the order of the encoded keys."""
_TYPES = [*_FIELDS.values(), bytes]
_SEAL_BYTES = 66
_SHAPES = Shapes()
_KEY_ID = re.compile(r"[0-9a-f]{16}").fullmatch


class Refused(Exception):
    """A transaction is refused; does not leave the ledger package.

    Args:
        code: The reason.
    """

    def __init__(self, code: Code) -> None:
        super().__init__(code.reason)
        self.code = code


class Envelope(NamedTuple):
    """A parsed envelope.

    Attributes:
        chain_id: The chain id.
        type: Transaction type, a name in `ledger.transactions.bodies.BODIES`.
        institution: The signing institution.
        key_id: Id of the signing key (`key_id_of`).
        seq: Sequence number of the key, used once.
        valid_until: Unix seconds; refused in a block at or after this time.
        body: The body of the type.
        message: The signed bytes.
        signature: Ed25519 signature (RFC 8032) over `DOMAIN` and `message`.
    """

    chain_id: str
    type: str
    institution: str
    key_id: str
    seq: int
    valid_until: int
    body: dict[str, Any]
    message: bytes
    signature: bytes


def key_id_of(public_key: bytes) -> str:
    """The id of a key: the first 8 bytes of its SHA-256, in hex.

    Example:
        >>> key_id_of(bytes(32))
        '66687aadf862bd77'
    """
    return hashlib.sha256(public_key).hexdigest()[:16]


def digest_of(transaction: bytes) -> bytes:
    """The digest of a transaction: its SHA-256."""
    return hashlib.sha256(transaction).digest()


def seal(fields: dict[str, Any], key: bytes) -> bytes:
    """Sign an envelope.

    Args:
        fields: chain_id, type, institution, key_id, seq, valid_until and body; the version is added.
        key: The Ed25519 seed of 32 bytes.

    Returns:
        The transaction: canonical CBOR of [envelope, signature].

    Example:
        >>> fields = {"chain_id": "c", "type": "t", "institution": "i", "key_id": "0" * 16, "seq": 1, "body": {}}
        >>> open_envelope(seal({**fields, "valid_until": 2}, bytes(32))).seq
        1
    """
    from nacl.signing import SigningKey

    return seal_with(fields, SigningKey(key))


def seal_with(fields: dict[str, Any], key: SigningKey) -> bytes:
    """Sign an envelope with an expanded key, for many transactions."""
    message = cbor.encode({"v": _VERSION, **fields})
    return cbor.encode([message, key.sign(DOMAIN + message).signature])


def open_envelope(transaction: bytes) -> Envelope:
    """Parse a transaction without verifying its signature.

    Raises:
        Refused: OVERSIZED or MALFORMED.
    """
    if len(transaction) > MAX_BYTES:
        raise Refused(Code.OVERSIZED)
    values = _SHAPES.read(transaction)
    if values is None:
        values = _strictly(transaction)
    version, seq, body, kind, key_id, chain_id, institution, valid_until, signature = values
    if version != _VERSION or not (0 <= seq <= _MAX_SEQ and 0 <= valid_until <= _MAX_SEQ):
        raise Refused(Code.MALFORMED)
    # Unknown key ids are cached, so their length must be limited.
    if _KEY_ID(key_id) is None:
        raise Refused(Code.MALFORMED)
    message = transaction[_head_bytes(len(transaction)) : -_SEAL_BYTES]
    return Envelope(chain_id, kind, institution, key_id, seq, valid_until, body, message, signature)


def _strictly(transaction: bytes) -> list[Any]:
    """Decode strictly: the values in the order of `_FIELDS` and the signature, with the right types.

    Raises:
        Refused: MALFORMED.
    """
    try:
        message, signature = cbor.decode(transaction)
        fields = cbor.decode(message)
        values = [*fields.values(), signature]
    except (ValueError, TypeError, AttributeError) as error:
        raise Refused(Code.MALFORMED) from error
    if tuple(fields) != tuple(_FIELDS) or [*map(type, values)] != _TYPES or len(signature) != 64:
        raise Refused(Code.MALFORMED)
    _SHAPES.learn(shape_of(fields, signature, transaction))
    return values


def _head_bytes(length: int) -> int:
    """Offset of the message in a transaction of this length: the message has 24 to 65,535 bytes."""
    return 3 if length - 3 - _SEAL_BYTES < 1 << 8 else 4
