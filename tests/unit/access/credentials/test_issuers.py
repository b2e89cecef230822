from __future__ import annotations

from pathlib import Path

import pytest

from xinglin.access import create_issuer, load_issuers, revoke
from xinglin.access.credentials.actor import key_id, public_half
from xinglin.access.credentials.issuers import actor_key
from xinglin.core.errors import NotFound, VerificationFailed


def test_an_issuer_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    key = create_issuer(tmp_path / "access", tmp_path / "keys", "east")
    assert create_issuer(tmp_path / "access", tmp_path / "keys", "west") == key == actor_key(tmp_path / "keys")
    found = load_issuers(tmp_path / "access")
    assert (found.region, found.keys) == ("east", {key_id(public_half(key)): public_half(key)})
    assert (tmp_path / "keys" / "actor.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "access").stat().st_mode & 0o777 == 0o700


def test_what_is_revoked_stays_revoked(tmp_path: Path) -> None:
    create_issuer(tmp_path / "access", tmp_path / "keys", "east")
    revoke(tmp_path / "access", ["one"])
    revoke(tmp_path / "access", ["two"])
    assert load_issuers(tmp_path / "access").revoked == {"one", "two"}


def test_a_missing_list_or_key_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_issuers(tmp_path)
    with pytest.raises(NotFound):
        actor_key(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"region": "e", "keys": {"a": "zz"}, "revoked": []}', "{"])
def test_a_damaged_list_believes_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / "issuers.json").write_text(content)
    with pytest.raises(VerificationFailed):
        load_issuers(tmp_path)
