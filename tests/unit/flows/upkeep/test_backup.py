"""What the ledger is told of backups and restores, now or later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.backup.conftest import Bed
from tests.unit.backup.conftest import bed as bed
from xinglin.admission import Stores
from xinglin.backup import record_backup
from xinglin.core.clock import system_clock
from xinglin.core.errors import LedgerUnavailable, VerificationFailed
from xinglin.core.permit import OPEN, Permit
from xinglin.core.settings import Settings
from xinglin.flows.anchor.backups import anchor_backups, anchored_root, pending_backups
from xinglin.flows.anchor.everything import AnchorReport, anchor_all
from xinglin.flows.upkeep.backup import Wanted, attest_restore, make_backup, open_target, restore_backup
from xinglin.lake import Lake
from xinglin.landing import Landing
from xinglin.ledger import EmbeddedLedger, Founder, Genesis, Signer


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[EmbeddedLedger]:
    from nacl.signing import SigningKey

    public = bytes(SigningKey(bytes(32)).verify_key)
    genesis = Genesis("region", 0, (Founder("region", public, None, 1),))
    ledger = EmbeddedLedger.create(tmp_path / "ledger", genesis, system_clock)
    yield ledger
    ledger.close()


@pytest.fixture
def signer(tmp_path: Path, ledger: EmbeddedLedger) -> Iterator[Signer]:
    signer = Signer("region", bytes(32), "region", tmp_path / "sequences.sqlite", system_clock)
    yield signer
    signer.close()


@pytest.fixture
def stores(bed: Bed) -> Stores:
    settings = Settings(home=bed.home, threads=2)
    lake = Lake(settings.lake, permit=OPEN)
    return Stores(settings, Landing(settings.landing, settings.keys, OPEN), lake, system_clock)


def test_backups_are_anchored_in_order_also_late_and_only_once(
    bed: Bed, stores: Stores, ledger: EmbeddedLedger, signer: Signer
) -> None:
    wanted = Wanted(str(bed.folder / "target"), (bed.public,))
    made = [make_backup(stores, wanted).manifest for _ in range(3)]

    assert anchor_backups(bed.home, ledger, signer)
    height = ledger.height()
    assert anchored_root(ledger, made[0].repository) == made[-1].root
    assert anchor_backups(bed.home, ledger, signer)
    assert ledger.height() == height


def test_anchoring_everything_anchors_backups_that_wait(
    bed: Bed, stores: Stores, ledger: EmbeddedLedger, signer: Signer
) -> None:
    made = [make_backup(stores, Wanted(str(bed.folder / "target"), (bed.public,))).manifest for _ in range(2)]
    assert pending_backups(bed.home, ledger) == 2
    landing = Landing(stores.settings.landing, permit=Permit(frozenset({"mart"}), frozenset(), "d-1"))
    blind = replace(stores, landing=landing)
    assert anchor_all(blind, ledger, signer) == AnchorReport(backups=2)
    assert anchored_root(ledger, made[0].repository) == made[-1].root
    assert pending_backups(bed.home, ledger) == anchor_all(blind, ledger, signer).backups == 0


def test_a_ledger_that_does_not_answer_loses_nothing(
    bed: Bed, stores: Stores, ledger: EmbeddedLedger, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = make_backup(stores, Wanted(str(bed.folder / "target"), (bed.public,))).manifest

    def silent(*arguments: object) -> None:
        raise LedgerUnavailable("it does not answer", retry=True)

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "submit", silent)
        with pytest.raises(LedgerUnavailable):
            anchor_backups(bed.home, ledger, signer)
    assert anchor_backups(bed.home, ledger, signer)
    assert anchored_root(ledger, manifest.repository) == manifest.root


def test_a_machine_that_forgot_its_backups_anchors_the_next_one(
    bed: Bed, stores: Stores, ledger: EmbeddedLedger, signer: Signer
) -> None:
    wanted = Wanted(str(bed.folder / "target"), (bed.public,))
    make_backup(stores, wanted)
    anchor_backups(bed.home, ledger, signer)
    for _ in range(2):
        (bed.home / "backup" / "made.jsonl").unlink()
        manifest = make_backup(stores, wanted).manifest
    record_backup(bed.home, manifest)

    assert anchor_backups(bed.home, ledger, signer)
    assert anchored_root(ledger, manifest.repository) == manifest.root


def test_a_restore_is_attested_with_the_app_hash_that_was_found(
    bed: Bed, stores: Stores, ledger: EmbeddedLedger, signer: Signer
) -> None:
    manifest = make_backup(stores, Wanted(str(bed.folder / "target"), (bed.public,))).manifest
    before = ledger.app_hash()

    assert attest_restore(ledger, signer, manifest.root) == before
    assert ledger.app_hash() != before
    assert ledger.state(f"restore/region/{manifest.root}".encode()) is not None


def test_only_the_backup_with_the_root_that_was_asked_for_is_restored(bed: Bed, stores: Stores) -> None:
    manifest = make_backup(stores, Wanted(str(bed.folder / "target"), (bed.public,))).manifest
    target = open_target(str(bed.folder / "target"))

    with pytest.raises(VerificationFailed, match="not the one"):
        restore_backup(target, "latest", bed.identities, bed.folder / "again", "00" * 32)
    restored = restore_backup(target, "1", bed.identities, bed.folder / "again", manifest.root)
    assert restored.manifest == manifest


def test_a_second_backup_needs_neither_target_nor_recipients(bed: Bed, stores: Stores) -> None:
    first = make_backup(stores, Wanted(str(bed.folder / "target"), (bed.public,))).manifest
    second = make_backup(stores, Wanted()).manifest

    assert (second.key, second.previous) == (first.key, first.root)
    assert (bed.home / "keys" / "backup.json").stat().st_mode & 0o777 == 0o600
