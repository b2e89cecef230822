"""A new key takes over: nothing is lost wherever it is interrupted, and an old one is revoked by the new one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ledgers import CHAIN, TurnedClock, accesses, genesis, seed
from xinglin.core.errors import Conflict, LedgerUnavailable, UsageError
from xinglin.ledger import Code, EmbeddedLedger, Receipt, Signer
from xinglin.ledger.consortium.home import transaction_key
from xinglin.ledger.institution.rotation import keys_of, revoke_key, rotate_key


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[EmbeddedLedger]:
    made = EmbeddedLedger.create(tmp_path / "ledger", genesis(), TurnedClock())
    yield made
    made.close()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "ledger.key"
    path.parent.mkdir()
    path.write_text(seed("hospital").hex() + "\n")
    return path


def _signer(key: Path) -> Signer:
    sequences = key.parent / "sequences.sqlite"
    return Signer("hospital", bytes(transaction_key(key)), CHAIN, sequences, TurnedClock())


def test_a_new_key_signs_and_revokes_the_old_one(ledger: EmbeddedLedger, key: Path) -> None:
    old = _signer(key)
    done = rotate_key(ledger, old, key)
    new = _signer(key)
    assert (done.before, done.after) == (old.key_id, new.key_id)
    assert sorted(keys_of(ledger.state, "hospital")) == sorted([old.key_id, new.key_id])
    both = [old.sign("AccessBatch", accesses(1)), new.sign("AccessBatch", accesses(2))]
    assert [receipt.code for receipt in ledger.submit(both)] == [Code.OK, Code.OK]
    revoke_key(ledger, new, old.key_id)
    assert keys_of(ledger.state, "hospital") == [new.key_id]
    both = [old.sign("AccessBatch", accesses(3)), new.sign("AccessBatch", accesses(4))]
    assert [receipt.code for receipt in ledger.submit(both)] == [Code.REVOKED_KEY, Code.OK]
    assert sorted(path.name for path in key.parent.glob("ledger.*")) == ["ledger.key", "ledger.lock"]
    assert key.stat().st_mode & 0o777 == 0o600


class Dying:
    """A ledger that dies before or after it took a transaction in."""

    chain_id = CHAIN

    def __init__(self, ledger: EmbeddedLedger, *, after: bool) -> None:
        self.ledger, self.after = ledger, after

    def state(self, key: bytes) -> bytes | None:
        return self.ledger.state(key)

    def submit(self, transactions: list[bytes]) -> list[Receipt]:
        if self.after:
            self.ledger.submit(transactions)
        raise LedgerUnavailable("gone", retry=True)


@pytest.mark.parametrize("after", [False, True])
def test_one_that_was_interrupted_goes_on_with_the_same_new_key(ledger: EmbeddedLedger, key: Path, after: bool) -> None:
    before = key.read_bytes()
    dying: Any = Dying(ledger, after=after)
    with pytest.raises(LedgerUnavailable):
        rotate_key(dying, _signer(key), key)
    # The key that signed is there still, and the new one too.
    assert key.read_bytes() == before
    waiting = key.with_suffix(".next").read_bytes()
    rotate_key(ledger, _signer(key), key)
    assert key.read_bytes() == waiting
    assert len(keys_of(ledger.state, "hospital")) == 2


def test_what_cannot_be_revoked_says_what_to_do(ledger: EmbeddedLedger, key: Path) -> None:
    signer = _signer(key)
    with pytest.raises(UsageError, match="current signing key") as own:
        revoke_key(ledger, signer, signer.key_id)
    assert "rotate-key" in own.value.remedy
    with pytest.raises(UsageError, match="not a valid key") as unknown:
        revoke_key(ledger, signer, "0" * 16)
    assert signer.key_id in unknown.value.remedy


def test_a_refusal_of_the_ledger_leaves_the_old_key_in_place(ledger: EmbeddedLedger, key: Path) -> None:
    key.with_suffix(".next").write_text(seed("hospital validator").hex() + "\n")
    before = key.read_bytes()
    with pytest.raises(Conflict, match="already registered"):
        rotate_key(ledger, _signer(key), key)
    assert key.read_bytes() == before
