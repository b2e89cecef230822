from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from tests.ledgers import CHAIN, START, Chain, TurnedClock, accesses, seed
from xinglin.ledger import Code, Signer
from xinglin.ledger.transactions.envelope import open_envelope


def _signer(folder: Path, floor: int = 0) -> Signer:
    return Signer("hospital", seed("hospital"), CHAIN, folder / "sequences.sqlite", TurnedClock(), floor=floor)


def _numbers(signer: Signer, count: int) -> list[int]:
    return [open_envelope(signer.sign("AccessBatch", accesses(1))).seq for _ in range(count)]


def test_what_is_signed_is_accepted(chain: Chain, tmp_path: Path) -> None:
    transaction = _signer(tmp_path).sign("AccessBatch", accesses(1), valid_for=60)
    assert open_envelope(transaction).valid_until == START + 60
    assert chain.code(transaction) is Code.OK


def test_a_signer_that_starts_again_uses_no_number_again(tmp_path: Path) -> None:
    numbers = [number for _ in range(5) for number in _numbers(_signer(tmp_path), 70)]
    assert len(set(numbers)) == len(numbers) == 350
    assert sorted(numbers) == numbers


def test_two_signers_at_once_share_no_number(tmp_path: Path) -> None:
    one, other = _signer(tmp_path), _signer(tmp_path)
    numbers = [*_numbers(one, 3), *_numbers(other, 100), *_numbers(one, 100)]
    assert len(set(numbers)) == 203


def test_numbers_reserved_long_ago_are_given_up_before_the_ledger_would_refuse_them(
    chain: Chain, tmp_path: Path
) -> None:
    idle, busy = _signer(tmp_path), _signer(tmp_path)
    first = idle.sign("AccessBatch", accesses(1))
    many = [busy.sign("AccessBatch", accesses(number)) for number in range(2, 1_500)]
    late = idle.sign("AccessBatch", accesses(1_500))
    assert set(chain.codes(first, *many, late)) == {Code.OK}


def test_a_floor_skips_what_the_ledger_has_seen(tmp_path: Path) -> None:
    assert _numbers(_signer(tmp_path, floor=5_000), 1) == [5_000]
    assert _numbers(_signer(tmp_path, floor=10), 1)[0] > 5_000


def test_threads_share_a_signer(tmp_path: Path) -> None:
    signer, numbers = _signer(tmp_path), []
    threads = [threading.Thread(target=lambda: numbers.extend(_numbers(signer, 100))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(800))


SIGN = """
import sys
from pathlib import Path
from tests.unit.ledger.institution.test_signer import _numbers, _signer
signer = _signer(Path(sys.argv[1]))
while True:
    print(*_numbers(signer, 1), flush=True)
"""


def test_signers_that_are_killed_leave_gaps_and_no_doubles(tmp_path: Path) -> None:
    numbers: list[int] = []
    for _ in range(2):
        command = [sys.executable, "-c", SIGN, str(tmp_path)]
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        for process in processes:
            assert process.stdout
            numbers += [int(process.stdout.readline()) for _ in range(100)]
        for process in processes:
            process.kill()
            rest = process.communicate()[0].split("\n")
            numbers += [int(line) for line in rest[:-1]]
    assert len(set(numbers)) == len(numbers) >= 400
