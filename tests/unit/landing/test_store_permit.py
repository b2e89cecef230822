"""The landing zone asks for a permit at every door; only what a verifier needs stays open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from xinglin.core.errors import AccessDenied
from xinglin.core.permit import OPEN, Permit
from xinglin.landing import Landing, ingest, prove, verify

DOORS: dict[str, Callable[[Landing], object]] = {
    "batches": lambda landing: landing.batches("mercy"),
    "all batches": lambda landing: list(landing.all_batches()),
    "files": lambda landing: landing.files(),
    "superseded": lambda landing: landing.superseded(),
    "known": lambda landing: landing.known("mercy"),
    "counts": lambda landing: landing.counts(),
    "verify": verify,
    "prove": lambda landing: prove(landing, "mercy", 1, "Patient-00000.parquet", 0),
    "spool": lambda landing: landing.spool("mercy"),
    "signing key": lambda landing: landing.signing_key("mercy"),
    "keep mapping": lambda landing: landing.keep_mapping("mercy", "a: 1"),
    "ingest": lambda landing: ingest(landing, landing.root, "mercy"),
    "add site": lambda landing: landing.add_site("other", "clinic"),
    "write site": lambda landing: landing.write_site(landing.site("mercy")),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    Landing(tmp_path / "landing", permit=OPEN).add_site("mercy", "hospital")
    return tmp_path / "landing"


@pytest.mark.parametrize("door", DOORS)
def test_no_door_opens_without_a_decision(root: Path, door: str) -> None:
    with pytest.raises(AccessDenied):
        DOORS[door](Landing(root))


@pytest.mark.parametrize("door", ["spool", "signing key", "keep mapping", "ingest", "add site", "write site"])
def test_who_may_only_read_writes_nothing(root: Path, door: str) -> None:
    reads = frozenset({"landing", "sites"})
    with pytest.raises(AccessDenied, match="write"):
        DOORS[door](Landing(root, permit=Permit(reads, frozenset(), "d")))


def test_who_verifies_needs_no_permit_for_names_and_public_keys(root: Path) -> None:
    landing = Landing(root)
    assert [site.name for site in landing.sites()] == ["mercy"]
    assert len(landing.site("mercy").public_key) == 64
