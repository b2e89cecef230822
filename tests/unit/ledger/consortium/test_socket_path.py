from __future__ import annotations

import os
from pathlib import Path

import pytest

from xinglin.core.errors import UsageError
from xinglin.ledger.consortium.socket_path import LONGEST_PATH, private_folder, socket_path


def test_a_home_too_deep_for_a_socket_has_it_in_a_short_and_private_place(tmp_path: Path) -> None:
    inside = tmp_path.joinpath(*["deeper"] * 20) / "abci.sock"
    place = socket_path(inside)
    assert len(os.fsencode(place)) <= LONGEST_PATH
    assert place == socket_path(inside) != socket_path(inside.with_name("other.sock"))
    assert str(os.getuid()) in place.parent.name


def test_the_folder_of_a_socket_is_its_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private_folder(tmp_path / "run")
    assert (tmp_path / "run").stat().st_mode & 0o077 == 0
    monkeypatch.setattr(os, "getuid", lambda: 12_345)
    with pytest.raises(UsageError, match="another user"):
        private_folder(tmp_path / "run")
