"""State keys of the ledger: built and parsed here, for the rules that write them and for all readers.

Keys are bytes. Their parts are joined by ``/``; batch numbers have eight digits, so that keys sort in batch order.
"""

from __future__ import annotations

__all__ = [
    "CHAIN",
    "INSTITUTIONS",
    "PROPOSALS",
    "backup_key",
    "batch_key",
    "build_key",
    "consent_key",
    "erasure_key",
    "institution_key",
    "name_of",
    "proposal_key",
    "restore_key",
    "segment_key",
    "sequence_key",
    "signing_key",
    "site_key",
    "stream_key",
    "validator_entry",
]

CHAIN = b"chain"
"""Chain id and time of the last block."""
INSTITUTIONS = b"institution/"
"""Key prefix of institutions."""
PROPOSALS = b"proposal/"
"""Key prefix of proposals."""


def institution_key(name: str) -> bytes:
    """Key of an institution: active, keys, power, validator key."""
    return INSTITUTIONS + name.encode()


def signing_key(key_id: str) -> bytes:
    """Key of a signing key by its id: institution, public key, revoked."""
    return b"key/" + key_id.encode()


def validator_entry(key_id: str) -> bytes:
    """Key of a validator key by its id: institution, public key."""
    return b"validator/" + key_id.encode()


def sequence_key(key_id: str) -> bytes:
    """Key of the used sequence numbers of a signing key."""
    return b"seq/" + key_id.encode()


def proposal_key(digest: bytes) -> bytes:
    """Key of a proposal by the SHA-256 of its transaction."""
    return PROPOSALS + digest.hex().encode()


def site_key(site: str) -> bytes:
    """Key of the last anchored batch of a site."""
    return b"site/" + site.encode()


def batch_key(site: str, sequence: int) -> bytes:
    """Key of an anchored batch.

    Example:
        >>> batch_key("hospital", 7)
        b'data/hospital/00000007'
    """
    return b"data/%s/%08d" % (site.encode(), sequence)


def erasure_key(site: str, sequence: int) -> bytes:
    """Key of the latest tombstone of a batch."""
    return b"erasure/%s/%08d" % (site.encode(), sequence)


def build_key(kind: str, name: str) -> bytes:
    """Key of the latest build of a kind and name, such as the mart."""
    return f"build/{kind}/{name}".encode()


def backup_key(name: str) -> bytes:
    """Key of the latest backup of a repository."""
    return b"backup/" + name.encode()


def restore_key(institution: str, root: bytes) -> bytes:
    """Key of an institution's attestation that a backup was restored."""
    return f"restore/{institution}/{root.hex()}".encode()


def consent_key(handle: str) -> bytes:
    """Key of a consent by its handle, 32 hex digits, or by the first digits as a prefix."""
    return b"consent/" + handle.encode()


def stream_key(stream: str) -> bytes:
    """Key of the institution that owns an audit stream, 32 hex digits."""
    return b"stream/" + stream.encode()


def segment_key(stream: str, root: str) -> bytes:
    """Key of an anchored segment of an audit log.

    Args:
        stream: The stream, 32 hex digits.
        root: Root of the segment, 64 hex digits.
    """
    return f"access/{stream}/{root}".encode()


def name_of(key: bytes) -> str:
    """The part of a key after its prefix.

    Example:
        >>> name_of(institution_key("hospital"))
        'hospital'
    """
    return key.split(b"/", 1)[1].decode()
