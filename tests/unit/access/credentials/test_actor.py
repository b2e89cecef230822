from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from xinglin.access.credentials import actor
from xinglin.access.credentials.actor import Claims, CredentialRefused, Issuers, issue, key_id, public_half, verify
from xinglin.core.errors import UsageError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY, OTHER = bytes(32), bytes([7]) * 32
ISSUERS = Issuers("east", {key_id(public_half(KEY)): public_half(KEY)})


def made(key: bytes = KEY, region: str = "east", begins: datetime = NOW) -> str:
    return issue(Claims("dr-lin", ("clinician",), "mercy"), key, region, begins, begins + timedelta(hours=1))


def parts(credential: str) -> list[dict[str, str]]:
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in credential.split(".")[:2]]


def coded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def refusal(credential: str, issuers: Issuers = ISSUERS, now: datetime = NOW) -> str:
    with pytest.raises(CredentialRefused) as caught:
        verify(credential, issuers, now)
    return caught.value.reason


def test_a_credential_says_who_its_holder_is() -> None:
    found = verify(made(), ISSUERS, NOW)
    assert (found.id, found.roles, found.institution, found.person) == ("dr-lin", ("clinician",), "mercy", None)
    assert found.expires == NOW + timedelta(hours=1)


def test_a_patient_is_one_person() -> None:
    text = issue(Claims("p", ("patient",), "mercy", 2**62), KEY, "east", NOW, NOW + timedelta(hours=1))
    assert verify(text, ISSUERS, NOW).person == 2**62


@pytest.mark.parametrize("claims", [Claims("p", ("patient",), "m"), Claims("d", ("clinician",), "m", 3)])
def test_only_a_patients_credential_names_a_person(claims: Claims) -> None:
    with pytest.raises(UsageError):
        issue(claims, KEY, "east", NOW, NOW)


@pytest.mark.parametrize("roles", [(), ("king",), ("clinician", "king")])
def test_a_role_that_does_not_exist_is_not_issued(roles: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        issue(Claims("d", roles, "m"), KEY, "east", NOW, NOW)


def test_a_forged_role_is_refused() -> None:
    header, claims = parts(made())
    forged = ".".join([coded(header), coded(claims | {"role": "operator"}), made().split(".")[2]])
    assert refusal(forged) == actor.FORGED


def test_the_key_of_somebody_else_is_refused() -> None:
    assert refusal(made(OTHER)) == actor.UNKNOWN_ISSUER


def test_the_key_of_somebody_else_under_the_issuers_name_is_refused() -> None:
    header, claims = parts(made(OTHER))
    renamed = coded(header | {"kid": key_id(public_half(KEY))})
    assert refusal(".".join([renamed, coded(claims), made(OTHER).split(".")[2]])) == actor.FORGED


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "EdDSA", ""])
def test_another_algorithm_is_refused(algorithm: str) -> None:
    header, claims = parts(made())
    assert refusal(f"{coded(header | {'alg': algorithm})}.{coded(claims)}.") == actor.ALG_NONE


def test_a_credential_signed_with_the_public_key_as_a_password_is_refused() -> None:
    import hashlib
    import hmac

    header, claims = parts(made())
    text = f"{coded(header | {'alg': 'HS256'})}.{coded(claims)}"
    mac = hmac.new(public_half(KEY), text.encode(), hashlib.sha256).digest()
    assert refusal(f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}") == actor.ALG_NONE


def test_another_audience_is_refused() -> None:
    assert refusal(made(region="west")) == actor.OTHER_AUDIENCE


def test_an_expired_credential_is_refused_from_its_very_second() -> None:
    assert verify(made(), ISSUERS, NOW + timedelta(minutes=59, seconds=59))
    assert refusal(made(), now=NOW + timedelta(hours=1)) == actor.EXPIRED


def test_a_credential_of_the_future_is_refused() -> None:
    assert refusal(made(begins=NOW + timedelta(minutes=5))) == actor.NOT_YET


def test_a_revoked_credential_is_refused() -> None:
    text = made()
    revoked = frozenset({verify(text, ISSUERS, NOW).credential})
    assert refusal(text, Issuers("east", ISSUERS.keys, revoked)) == actor.REVOKED


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "....", "é.é.é", "a" * 9000, made()[:-40] + "." * 3])
def test_what_is_no_credential_is_refused(text: str) -> None:
    assert refusal(text) == actor.MALFORMED


def test_claims_that_do_not_have_their_form_are_refused() -> None:
    from joserfc import jws

    header, claims = parts(made())
    for change in ({"exp": "tomorrow"}, {"exp": 1e400}, {"person": "x"}, {"sub": None}, {"exp": 10**40}):
        text = json.dumps({**claims, **change})
        signed = jws.serialize_compact(header, text, actor._jwk(public_half(KEY), KEY), algorithms=["Ed25519"])
        assert refusal(signed) == actor.MALFORMED


def test_a_role_that_does_not_exist_is_refused_even_when_it_is_signed() -> None:
    from joserfc import jws

    header, claims = parts(made())
    text = json.dumps(claims | {"role": "king"})
    signed = jws.serialize_compact(header, text, actor._jwk(public_half(KEY), KEY), algorithms=["Ed25519"])
    assert refusal(signed) == actor.UNKNOWN_ROLE
