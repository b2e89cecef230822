"""The signed envelope that every transaction comes in."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from xinglin.ledger import cbor
from xinglin.ledger.codes import Code
from xinglin.ledger.shapes import Shapes

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
_TEXTS = [str] * 4
_NUMBERS = [int] * 2
_MAX_SEQ = 2**63 - 1
_SHAPES = Shapes(cbor.decode)
_KEY_ID = re.compile(r"[0-9a-f]{16}").fullmatch


class Refused(Exception):
    """A transaction is refused for one reason; it never leaves the ledger package.

    Args:
        code: The reason.
    """

    def __init__(self, code: Code) -> None:
        super().__init__(code.reason)
        self.code = code


class Envelope(NamedTuple):
    """Who says what, on which chain, until when.

    Attributes:
        chain_id: The chain it is for.
        type: The type of transaction, a name in `ledger.bodies.BODIES`.
        institution: Who says it.
        key_id: Which of the institution's keys signed (`key_id_of`).
        seq: The key's sequence number, never used twice.
        valid_until: Unix seconds; refused in a block of that time or later.
        body: A map as its type asks for.
        message: The envelope's own bytes, which are signed.
        signature: Ed25519 (RFC 8032) over `DOMAIN` and `message`.
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
    """The short name of a key: the first 8 bytes of its SHA-256, in hex.

    Example:
        >>> key_id_of(bytes(32))
        '66687aadf862bd77'
    """
    return hashlib.sha256(public_key).hexdigest()[:16]


def digest_of(transaction: bytes) -> bytes:
    """The SHA-256 by which a transaction is looked up."""
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
    """`seal` with a key that was expanded once for many transactions."""
    message = cbor.encode({"v": _VERSION, **fields})
    return cbor.encode([message, key.sign(DOMAIN + message).signature])


def open_envelope(transaction: bytes) -> Envelope:
    """Read a transaction; its signature is not checked here.

    Raises:
        Refused: OVERSIZED or MALFORMED.
    """
    if len(transaction) > MAX_BYTES:
        raise Refused(Code.OVERSIZED)
    try:
        message, signature = _SHAPES.read(transaction)
        fields = _SHAPES.read(message)
        version = fields.pop("v")
        envelope = Envelope(**fields, message=message, signature=signature)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise Refused(Code.MALFORMED) from error
    if type(version) is not int or version != _VERSION or not _well_formed(envelope):
        raise Refused(Code.MALFORMED)
    return envelope


def _well_formed(envelope: Envelope) -> bool:
    texts = (envelope.chain_id, envelope.type, envelope.institution, envelope.key_id)
    numbers, signature = (envelope.seq, envelope.valid_until), envelope.signature
    typed = [*map(type, texts)] == _TEXTS and [*map(type, numbers)] == _NUMBERS
    if not typed or type(signature) is not bytes or type(envelope.body) is not dict:
        return False
    # A key that nobody has is remembered as such, so nobody may make up long ones.
    return min(numbers) >= 0 and max(numbers) <= _MAX_SEQ and len(signature) == 64 and bool(_KEY_ID(envelope.key_id))
