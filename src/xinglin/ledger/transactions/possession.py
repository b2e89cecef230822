"""Proof of possession: a signature of a new key over the statement that registers it.

Without it an institution could register a key that it does not have, or the key of another institution, and lose
control of its own name or act for the other. Each statement is canonical CBOR with its own domain prefix, so that a
signature is valid for one purpose only::

    rotation   [chain_id, institution, key_id of the key that signs the transaction, new public key, seq]
    joining    [chain_id, name, public key, validator key or null], signed by both keys
"""

from __future__ import annotations

from xinglin.ledger.transactions import cbor

__all__ = ["holds", "joining", "rotation"]

_ROTATION = b"xinglin new key 1\x00"
_JOINING = b"xinglin joining 1\x00"


def rotation(chain_id: str, institution: str, key_id: str, public_key: bytes, seq: int) -> bytes:
    """The statement that a new key signs for KeyRotate.

    Args:
        chain_id: The chain id.
        institution: Owner of the new key.
        key_id: Id of the key that signs the transaction.
        public_key: The new key of 32 bytes.
        seq: Sequence number of the transaction; limits the statement to this transaction.

    Example:
        >>> rotation("region", "hospital", "66687aadf862bd77", bytes(32), 7)[:18]
        b'xinglin new key 1\\x00'
    """
    return _ROTATION + cbor.encode([chain_id, institution, key_id, public_key, seq])


def joining(chain_id: str, name: str, public_key: bytes, validator_key: bytes | None) -> bytes:
    """The statement that both keys of an institution sign for InstitutionPropose.

    Args:
        chain_id: The chain id.
        name: Name of the institution.
        public_key: Its transaction key of 32 bytes.
        validator_key: Its validator key; None if it has none.

    Example:
        >>> joining("region", "lab", bytes(32), None) == joining("region", "lab", bytes(32), bytes(32))
        False
    """
    return _JOINING + cbor.encode([chain_id, name, public_key, validator_key])


def holds(public_key: bytes, statement: bytes, signature: bytes) -> bool:
    """Whether a signature of a statement is valid.

    Args:
        public_key: An Ed25519 key of 32 bytes.
        statement: The signed bytes.
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
