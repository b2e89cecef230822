"""Proof that a key is held by whoever brings it: a signature by the key over what it is brought for.

Without it an institution could register a key that it does not hold, or that of another, and would be locked out of its
own name, or taken for the other one. Each statement is canonical CBOR behind a domain of its own, so that a signature
for one purpose is good for no other::

    rotation   [chain_id, institution, key_id of the key that signs the transaction, new public key, seq]
    joining    [chain_id, name, public key, validator key or null], signed by each of the two keys
"""

from __future__ import annotations

from xinglin.ledger.transactions import cbor

__all__ = ["holds", "joining", "rotation"]

_ROTATION = b"xinglin new key 1\x00"
_JOINING = b"xinglin joining 1\x00"


def rotation(chain_id: str, institution: str, key_id: str, public_key: bytes, seq: int) -> bytes:
    """What a new key signs before it is registered by KeyRotate.

    Args:
        chain_id: The chain.
        institution: Whose key it becomes.
        key_id: The key that signs the transaction.
        public_key: The new key of 32 bytes.
        seq: The transaction's sequence number, so that the statement is good for this one alone.

    Example:
        >>> rotation("region", "hospital", "66687aadf862bd77", bytes(32), 7)[:18]
        b'xinglin new key 1\\x00'
    """
    return _ROTATION + cbor.encode([chain_id, institution, key_id, public_key, seq])


def joining(chain_id: str, name: str, public_key: bytes, validator_key: bytes | None) -> bytes:
    """What both keys of an institution sign before it is proposed (InstitutionPropose).

    Args:
        chain_id: The chain.
        name: The institution.
        public_key: Its transaction key of 32 bytes.
        validator_key: The key that its node votes with; None for none.

    Example:
        >>> joining("region", "lab", bytes(32), None) == joining("region", "lab", bytes(32), bytes(32))
        False
    """
    return _JOINING + cbor.encode([chain_id, name, public_key, validator_key])


def holds(public_key: bytes, statement: bytes, signature: bytes) -> bool:
    """Whether the key's holder signed the statement.

    Args:
        public_key: An Ed25519 key of 32 bytes.
        statement: What must be signed.
        signature: 64 bytes.

    Example:
        >>> holds(bytes(32), b"statement", bytes(64))
        False
    """
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError

    try:
        crypto_sign_open(signature + statement, public_key)
    except (BadSignatureError, ValueError):
        return False
    return True
