"""Actors and their credentials: issue and verify.

A credential is a compact JSON Web Signature (RFC 7515) with Ed25519 (RFC 8037; algorithm name of RFC 9864). Its claims
are those of RFC 7519 (`iss`, `sub`, `aud`, `iat`, `exp`, `jti`) and `role`, `inst` and `person`. The claims are read
only after the signature was verified with a key that the region lists, so actors cannot assign roles to themselves.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from xinglin.core.errors import UsageError

if TYPE_CHECKING:
    from joserfc.jwk import OKPKey

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
    "key_id",
    "public_half",
    "verify",
]

ROLES = ("patient", "clinician", "analyst", "operator", "auditor", "site-agent", "steward")

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

_ALGORITHM = "Ed25519"
# Tolerated clock difference between two machines, in seconds.
_LEEWAY = 60
_LONGEST = 8192


@dataclass(frozen=True)
class _Payload:
    iss: str
    sub: str
    aud: str
    iat: int
    exp: int
    jti: str
    role: str
    inst: str
    person: str = ""


class CredentialRefused(Exception):
    """A credential is invalid; `reason` is one of the constants of this module."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Actor:
    """The actor of a valid credential.

    Args:
        id: Name of the actor in the institution (claim `sub`).
        roles: One or more of `ROLES` (claim `role`, separated by spaces).
        institution: Institution of the actor (claim `inst`).
        person: `person_id` of a patient (claim `person`); None for other roles.
        expires: When the credential expires.
        key_id: Id of the issuer's key.
        credential: Identifier of the credential (claim `jti`), used to revoke it.
    """

    id: str
    roles: tuple[str, ...]
    institution: str
    person: int | None
    expires: datetime
    key_id: str
    credential: str

    def __hash__(self) -> int:
        return hash(self.credential)


@dataclass(frozen=True)
class Claims:
    """Claims for a new credential.

    Args:
        id: Name of the actor.
        roles: One or more of `ROLES`.
        institution: Institution of the actor.
        person: `person_id` of a patient.
    """

    id: str
    roles: tuple[str, ...]
    institution: str
    person: int | None = None


@dataclass(frozen=True)
class Issuers:
    """Trusted issuers of a region and its revocation list.

    Args:
        region: Name of the region; the audience that a credential must name.
        keys: Public Ed25519 keys (32 bytes) by key id.
        revoked: Identifiers (`jti`) of revoked credentials.
    """

    region: str
    keys: Mapping[str, bytes]
    revoked: frozenset[str] = frozenset()


def issue(claims: Claims, key: bytes, region: str, now: datetime, expires: datetime) -> str:
    """Issue a credential.

    Args:
        claims: Its claims.
        key: The issuer's Ed25519 seed of 32 bytes.
        region: The audience.
        now: Start of its validity.
        expires: End of its validity.

    Returns:
        Compact JWS.

    Raises:
        UsageError: A role is unknown, or role `patient` and `person` are not given together.
    """
    from joserfc import jws

    if not claims.roles or not set(claims.roles) <= set(ROLES):
        raise UsageError("no role, or an unknown role", remedy=f"use one of {', '.join(ROLES)}")
    if ("patient" in claims.roles) != (claims.person is not None):
        raise UsageError("role patient and a person_id go together", remedy="give both --role patient and --person")
    public = public_half(key)
    payload = {
        "iss": region,
        "sub": claims.id,
        "aud": region,
        "iat": int(now.timestamp()),
        "exp": int(expires.timestamp()),
        "jti": uuid.uuid4().hex,
        "role": " ".join(claims.roles),
        "inst": claims.institution,
    } | ({} if claims.person is None else {"person": str(claims.person)})
    header = {"alg": _ALGORITHM, "typ": "JWT", "kid": key_id(public)}
    text = json.dumps(payload, separators=(",", ":"))
    return jws.serialize_compact(header, text, _jwk(public, key), algorithms=[_ALGORITHM])


def verify(credential: str, issuers: Issuers, now: datetime) -> Actor:
    """Verify a credential and return its actor.

    Args:
        credential: Compact JWS.
        issuers: Trusted issuers.
        now: The current time.

    Raises:
        CredentialRefused: The credential is invalid; names the first reason found.

    Example:
        >>> from datetime import UTC, timedelta
        >>> now, key = datetime(2026, 1, 1, tzinfo=UTC), bytes(32)
        >>> text = issue(Claims("dr-lin", ("clinician",), "mercy"), key, "east", now, now + timedelta(hours=8))
        >>> issuers = Issuers("east", {key_id(public_half(key)): public_half(key)})
        >>> verify(text, issuers, now).roles
        ('clinician',)
        >>> verify(text, issuers, now + timedelta(days=1))
        Traceback (most recent call last):
        xinglin.access.credentials.actor.CredentialRefused: credential-expired
    """
    key, claims = _checked(credential, issuers)
    moment = now.timestamp()
    if claims.aud != issuers.region:
        raise CredentialRefused(OTHER_AUDIENCE)
    if claims.iss != issuers.region:
        raise CredentialRefused(UNKNOWN_ISSUER)
    if moment >= claims.exp:
        raise CredentialRefused(EXPIRED)
    if claims.iat > moment + _LEEWAY:
        raise CredentialRefused(NOT_YET)
    if claims.jti in issuers.revoked:
        raise CredentialRefused(REVOKED)
    roles = tuple(claims.role.split())
    if not roles or not set(roles) <= set(ROLES):
        raise CredentialRefused(UNKNOWN_ROLE)
    try:
        person = int(claims.person) if claims.person else None
        expires = datetime.fromtimestamp(claims.exp, UTC)
    except (ValueError, OverflowError) as error:
        raise CredentialRefused(MALFORMED) from error
    return Actor(claims.sub, roles, claims.inst, person, expires, key, claims.jti)


def key_id(public: bytes) -> str:
    """The id of an issuer's key: the first 8 bytes of its SHA-256, in hex.

    Args:
        public: The public key of 32 bytes.
    """
    return hashlib.sha256(public).hexdigest()[:16]


def public_half(key: bytes) -> bytes:
    """The public key of 32 bytes.

    Args:
        key: The Ed25519 seed of 32 bytes.
    """
    from nacl.signing import SigningKey

    return bytes(SigningKey(key).verify_key)


def _checked(credential: str, issuers: Issuers) -> tuple[str, _Payload]:
    """The issuer's key id and the claims of a credential, after its signature was verified."""
    import msgspec
    from joserfc import jws
    from joserfc.errors import JoseError

    if len(credential) > _LONGEST:
        raise CredentialRefused(MALFORMED)
    try:
        signed = jws.extract_compact(credential.encode())
        header = signed.headers()
        if header.get("alg") != _ALGORITHM:
            raise CredentialRefused(ALG_NONE)
        key = str(header.get("kid", ""))
        if key not in issuers.keys:
            raise CredentialRefused(UNKNOWN_ISSUER)
        if not jws.validate_compact(signed, _jwk(issuers.keys[key]), algorithms=[_ALGORITHM]):
            raise CredentialRefused(FORGED)
        # Parse the claims only after the signature was verified.
        return key, msgspec.json.decode(signed.payload, type=_Payload)
    except (JoseError, ValueError) as error:
        raise CredentialRefused(MALFORMED) from error


def _jwk(public: bytes, key: bytes | None = None) -> OKPKey:
    from joserfc.jwk import OKPKey

    words: dict[str, str | list[str]] = {"kty": "OKP", "crv": "Ed25519", "x": _base64(public)}
    return OKPKey.import_key(words | ({} if key is None else {"d": _base64(key)}))


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
