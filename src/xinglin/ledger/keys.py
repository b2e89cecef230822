"""Keys of the ledger's state: built and parsed here, for the rules that write them and for every reader.

Keys are bytes. The parts are joined by ``/``; numbers of batches have eight digits, so that keys sort as batches do.
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
"""Prefix of every institution."""
PROPOSALS = b"proposal/"
"""Prefix of every proposal."""


def institution_key(name: str) -> bytes:
    """An institution: active, keys, power, validator key."""
    return INSTITUTIONS + name.encode()


def signing_key(key_id: str) -> bytes:
    """A public key by its id: institution, public key, revoked."""
    return b"key/" + key_id.encode()


def validator_entry(key_id: str) -> bytes:
    """A validator's public key by its id."""
    return b"validator/" + key_id.encode()


def sequence_key(key_id: str) -> bytes:
    """The sequence numbers that a key has used."""
    return b"seq/" + key_id.encode()


def proposal_key(digest: bytes) -> bytes:
    """A proposal by the SHA-256 of its content."""
    return PROPOSALS + digest.hex().encode()


def site_key(site: str) -> bytes:
    """The last anchored batch of a site."""
    return b"site/" + site.encode()


def batch_key(site: str, sequence: int) -> bytes:
    """One anchored batch.

    Example:
        >>> batch_key("hospital", 7)
        b'data/hospital/00000007'
    """
    return b"data/%s/%08d" % (site.encode(), sequence)


def erasure_key(site: str, sequence: int) -> bytes:
    """The latest tombstone of a batch."""
    return b"erasure/%s/%08d" % (site.encode(), sequence)


def build_key(kind: str, name: str) -> bytes:
    """The latest build of a name, such as the mart's."""
    return f"build/{kind}/{name}".encode()


def backup_key(name: str) -> bytes:
    """The latest backup of a repository."""
    return b"backup/" + name.encode()


def restore_key(institution: str, root: bytes) -> bytes:
    """An institution's statement that a backup was restored."""
    return f"restore/{institution}/{root.hex()}".encode()


def consent_key(handle: str) -> bytes:
    """A consent by its handle, 32 hex digits."""
    return b"consent/" + handle.encode()


def stream_key(stream: str) -> bytes:
    """The institution of an audit log's stream, 32 hex digits."""
    return b"stream/" + stream.encode()


def segment_key(stream: str, root: str) -> bytes:
    """One anchored segment of an audit log.

    Args:
        stream: The stream, 32 hex digits.
        root: The segment's root, 64 hex digits.
    """
    return f"access/{stream}/{root}".encode()


def name_of(key: bytes) -> str:
    """What stands after a key's prefix.

    Example:
        >>> name_of(institution_key("hospital"))
        'hospital'
    """
    return key.split(b"/", 1)[1].decode()
