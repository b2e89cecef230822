"""Who asks: credentials that a region issues, and what they say when they hold.

A credential is a compact JSON Web Signature (RFC 7515) by Ed25519 (RFC 8037). Its claims are those of RFC 7519 (`iss`,
`sub`, `aud`, `iat`, `exp`, `jti`) and `role`, `inst` and `person`. What it says is believed only when the signature
holds by a key that the region lists as an issuer, so nobody can give himself a role.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

__all__ = [
    "ALG_NONE",
    "EXPIRED",
    "FORGED",
    "MALFORMED",
    "NOT_YET",
    "NO_CREDENTIAL",
    "OTHER_AUDIENCE",
    "REVOKED",
    "ROLES",
    "UNKNOWN_ISSUER",
    "UNKNOWN_ROLE",
    "Actor",
    "Claims",
    "CredentialRefused",
    "Issuers",
    "issue",
    "verify",
]

ROLES = ("patient", "clinician", "analyst", "operator", "auditor", "site-agent")

NO_CREDENTIAL = "no-credential"
MALFORMED = "credential-malformed"
ALG_NONE = "credential-algorithm"
UNKNOWN_ISSUER = "credential-unknown-issuer"
FORGED = "credential-forged"
OTHER_AUDIENCE = "credential-other-audience"
EXPIRED = "credential-expired"
NOT_YET = "credential-not-yet-valid"
REVOKED = "credential-revoked"
UNKNOWN_ROLE = "credential-unknown-role"


class CredentialRefused(Exception):
    """A credential does not hold; `reason` is one of the constants of this file."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Actor:
    """Who asks, as a credential that held says.

    Args:
        id: Who (claim `sub`), by the name the institution knows.
        roles: One or more of `ROLES` (claim `role`, separated by spaces).
        institution: Whose member (claim `inst`).
        person: The person a patient is (claim `person`); None for everybody else.
        expires: When the credential ends.
        key_id: The issuer's key.
        credential: Identifier of the credential (claim `jti`), by which it can be revoked.
    """

    id: str
    roles: tuple[str, ...]
    institution: str
    person: int | None
    expires: datetime
    key_id: str
    credential: str


@dataclass(frozen=True)
class Claims:
    """What a credential is to say.

    Args:
        id: Who.
        roles: One or more of `ROLES`.
        institution: Whose member.
        person: The person a patient is.
    """

    id: str
    roles: tuple[str, ...]
    institution: str
    person: int | None = None


@dataclass(frozen=True)
class Issuers:
    """Whom a region believes: its name, the public keys of its issuers, and what was revoked.

    Args:
        region: The audience that a credential must name.
        keys: Public Ed25519 key of 32 bytes by key id.
        revoked: Identifiers (`jti`) of revoked credentials.
    """

    region: str
    keys: Mapping[str, bytes]
    revoked: frozenset[str] = frozenset()


def issue(claims: Claims, key: bytes, region: str, now: datetime, expires: datetime) -> str:
    """Make a credential.

    Args:
        claims: What it says.
        key: The issuer's Ed25519 seed of 32 bytes.
        region: The audience.
        now: When it begins.
        expires: When it ends.

    Returns:
        Compact JWS.
    """
    raise NotImplementedError


def verify(credential: str, issuers: Issuers, now: datetime) -> Actor:
    """Read a credential and believe it, or refuse it.

    Args:
        credential: Compact JWS.
        issuers: Whom to believe.
        now: The time of asking.

    Raises:
        CredentialRefused: It does not hold, with the one reason why.
    """
    raise NotImplementedError
