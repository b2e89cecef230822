"""Checkpoints as other implementations read them: Go's own note package, and transparency-dev's cosignatures."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.ledger.proofs.test_checkpoint import LOG, WITNESS, cosigned, signed

SOURCE = Path(__file__).parent / "note_reader"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The reader, built from the Go module proxy, or a skip that says what was not tested."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    program = tmp_path_factory.mktemp("note") / "note_reader"
    built = go and subprocess.run(
        [go, "build", "-o", program, "."],
        cwd=SOURCE,
        env=os.environ | {"GOFLAGS": "-mod=readonly"},
        capture_output=True,
    )
    if not built or built.returncode:
        pytest.skip("not tested: checkpoints read by golang.org/x/mod/sumdb/note (no Go, or no module proxy)")

    def read(note: str, *keys: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, *keys], input=note, capture_output=True, text=True, timeout=30)

    return read


def test_another_reader_opens_our_checkpoints_and_cosignatures(
    reader: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    read = reader(str(cosigned()), LOG.text(), WITNESS.text())
    assert read.returncode == 0, read.stderr
    assert read.stdout == f"signed region.example\nsigned witness.example/one\nunknown 0\n{signed().text}"


def test_another_reader_passes_over_a_witness_it_does_not_know(
    reader: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    assert reader(str(cosigned()), LOG.text()).stdout.startswith("signed region.example\nunknown 1\n")


def test_another_reader_refuses_what_we_refuse(reader: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    changed = str(cosigned()).replace("\n2\n", "\n3\n", 1)
    assert "invalid signature" in reader(changed, LOG.text()).stderr
