from __future__ import annotations

from pathlib import Path

from tests.ledgers import accesses
from xinglin.core.settings import Settings
from xinglin.ledger import Code
from xinglin.wiring import init_region, open_ledger, open_signer


def _submit(settings: Settings, number: int) -> Code:
    ledger = open_ledger(settings)
    signer = open_signer(settings, ledger)
    try:
        return ledger.submit([signer.sign("AccessBatch", accesses(number))])[0].code
    finally:
        signer.close()
        ledger.close()


def test_a_region_whose_file_of_sequences_was_lost_signs_on(tmp_path: Path) -> None:
    settings = init_region(tmp_path / "home")
    assert [_submit(settings, number) for number in (1, 2)] == [Code.OK, Code.OK]
    for path in (settings.home / "ledger").glob("sequences.sqlite*"):
        path.unlink()
    assert _submit(settings, 3) is Code.OK


def test_what_a_region_holds_is_for_its_owner_alone(tmp_path: Path) -> None:
    settings = init_region(tmp_path / "home")
    assert settings.home.stat().st_mode & 0o077 == 0


def test_a_region_that_stopped_between_ledger_and_genesis_file_keeps_its_chain(tmp_path: Path) -> None:
    settings = init_region(tmp_path / "region")
    ledger = open_ledger(settings)
    before = ledger.chain_id
    ledger.close()
    genesis = settings.home / "ledger" / "genesis.json"
    told = genesis.read_bytes()
    genesis.unlink()
    again = open_ledger(settings)
    assert again.chain_id == before
    assert genesis.read_bytes() == told
    again.close()
