"""From a file of a hospital to a stranger with a proof file and a genesis; and what only a witness can tell."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.consortium import need_consortium
from tests.e2e.conftest import Xinglin

pytestmark = pytest.mark.e2e


def stranger(folder: Path, *words: str | Path, code: int = 0) -> Any:
    """Check proof files where there is no region, as somebody else's process."""
    bare = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "COVERAGE_PROCESS_START") if name in os.environ}
    command = [sys.executable, "-m", "xinglin", "ledger", "verify-proof", *map(str, words)]
    done = subprocess.run(command, cwd=folder, env=bare, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def a_row(xinglin: Xinglin) -> str:
    asked = "SELECT min(condition_occurrence_id) FROM condition_occurrence"
    return f"condition_occurrence:{xinglin('sql', asked, '--format', 'csv').split()[-1]}"


def test_a_stranger_needs_the_proof_file_and_the_genesis_alone(built: Xinglin, tmp_path: Path) -> None:
    row = a_row(built)
    proof = built.json("verify", "--row", row, "--json")
    assert proof["holds"] and proof["anchored"] is True
    site, batch = proof["site"], proof["batch"]
    built("ledger", "prove", "row", row, "--out", tmp_path / "row.cbor")
    table, _, number = row.partition(":")
    person = built.json("sql", f"SELECT person_id FROM {table} WHERE {table}_id = {number}", "--json")[0]["person_id"]
    own = tmp_path / "own.jws"
    built("access", "issue", "patient-of-row", "--role", "patient", "--person", person, "--out", own)
    shown = ("--manifest", "--content", "--person", person, "--as", own, "--out", tmp_path / "all.cbor")
    built("ledger", "prove", "row", row, *shown)
    built("ledger", "prove", "batch", f"{site}/{batch}", "--out", tmp_path / "batch.cbor")
    (tmp_path / "genesis.json").write_bytes((built.home / "ledger" / "genesis.json").read_bytes())
    files = ("row.cbor", "all.cbor", "batch.cbor")
    hidden, shown, whole = stranger(tmp_path, *files, "--trust", "genesis.json", "--json")
    assert hidden["leaf"] == shown["leaf"] == proof["leaf"]
    assert hidden["merkle_root"] == whole["merkle_root"] == proof["merkle_root"]
    assert hidden["manifest_sha256"] == whole["manifest_sha256"] == proof["manifest_sha256"]
    assert "resource" not in hidden
    assert json.loads(shown["resource"])["resourceType"] == proof["resource_type"]
    assert whole["site_key"] == proof["public_key"]
    assert {one["by"] for one in (hidden, shown, whole)} == {proof["vouched_by"]}
    content = bytearray((tmp_path / "row.cbor").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "bad.cbor").write_bytes(content)
    assert "proof" in stranger(tmp_path, "bad.cbor", "--trust", "genesis.json", code=1)


def test_everything_that_was_made_is_anchored_and_nothing_twice(own: Xinglin) -> None:
    compared = own.json("verify", "--json")["ledger"]
    assert (compared["anchored"], compared["waiting"]) == (4, 0)
    first = own.json("ledger", "anchor", "--json")
    assert (first["batches"], first["builds"]) == (0, 0)
    told = own.json("ledger", "audit", "--json")
    assert told["app_hash"] == own.json("ledger", "status", "--json")["app_hash"]


def test_a_ledger_that_cannot_be_reached_holds_nothing_up_and_is_caught_up_with(tmp_path: Path, region: Path) -> None:
    xinglin = Xinglin(tmp_path / "home")
    xinglin("init", xinglin.home)
    settings = xinglin.home / "xinglin.toml"
    own = settings.read_text()
    settings.write_text(own + '\n[ledger]\nkind = "cometbft"\nrpc = "http://127.0.0.1:1"\n')
    site = json.loads((region / "region.json").read_bytes())["sites"][0]
    said = xinglin("ingest", region / site["folder"], "--site", site["name"])
    assert "not anchored yet" in said
    settings.write_text(own)
    assert xinglin.json("verify", "--json")["ledger"]["waiting"] == 1
    assert xinglin.json("ledger", "anchor", "--json")["batches"] == 1
    assert xinglin.json("verify", "--json")["ledger"]["waiting"] == 0


def test_a_new_key_takes_over_and_what_either_signed_is_proved(own: Xinglin, tmp_path: Path) -> None:
    own("ledger", "anchor")
    row = a_row(own)
    done = own.json("ledger", "rotate-key", "--json")
    assert own.json("ledger", "status", "--json")["keys"] == {"region": sorted(done.values())}
    # The key that signs is not given up, and nobody else's is.
    assert "rotate-key" in own("ledger", "revoke-key", done["after"], code=2)
    assert "use one of" in own("ledger", "revoke-key", "0" * 16, code=2)
    assert own.json("ledger", "revoke-key", done["before"], "--json")["valid"] == [done["after"]]
    assert own.json("ledger", "anchor", "--json")["segments"] >= 1
    own("ledger", "prove", "row", row, "--out", tmp_path / "row.cbor")
    genesis = own.home / "ledger" / "genesis.json"
    assert stranger(tmp_path, "row.cbor", "--trust", genesis, "--json")[0]["holds"]
    own("ledger", "audit")


def test_a_batch_that_is_not_the_anchored_one_is_named(own: Xinglin) -> None:
    site = own.json("ledger", "anchor", "--json") and sorted((own.home / "landing").iterdir())[0]
    shutil.rmtree(site / "batch-000001")
    said = own("verify", code=1)
    assert "batch 1, which was anchored, is not there" in said or "missing" in said


def test_a_store_rolled_back_is_refused_by_the_witness_and_seen_by_nobody_else(own: Xinglin, tmp_path: Path) -> None:
    store, witness = own.home / "ledger" / "ledger.sqlite", tmp_path / "witness"
    genesis = own.home / "ledger" / "genesis.json"
    own("ledger", "anchor")
    earlier = tmp_path / "earlier.sqlite"
    with sqlite3.connect(store) as one, sqlite3.connect(earlier) as other:
        one.backup(other)
    own("ledger", "status")
    # Every command is decided about and written down, so there is always something new to anchor.
    own("status")
    own("ledger", "anchor")
    own("ledger", "checkpoint", "--out", tmp_path / "one")
    watching = ("--state", witness, "--name", "witness.example/one")
    own("ledger", "witness", tmp_path / "one", *watching, "--trust", genesis, "--out", tmp_path / "one.note")
    own("ledger", "checkpoint", "--take", tmp_path / "one.note", "--witness", witness / "witness.pub")
    row = a_row(own)
    own("ledger", "prove", "row", row, "--out", tmp_path / "row.cbor")
    (told,) = stranger(tmp_path, "row.cbor", "--trust", genesis, "--quorum", "1", "--json")
    assert told["by"].endswith("cosigned by witness.example/one")

    for suffix in ("", "-wal", "-shm"):
        store.with_name(store.name + suffix).unlink(missing_ok=True)
    shutil.copy(earlier, store)
    # Without a witness the older store is right in itself: nobody can tell.
    own("ledger", "audit")
    own("ledger", "prove", "row", row, "--out", tmp_path / "older.cbor")
    (told,) = stranger(tmp_path, "older.cbor", "--trust", genesis, "--json")
    assert told["holds"] and told["by"].endswith("without cosignature")
    # Who asks for a witness's cosignature is not deceived, and the witness gives none.
    assert "are required" in stranger(tmp_path, "older.cbor", "--trust", genesis, "--quorum", "1", code=1)
    own("ledger", "checkpoint", "--since", "0", "--out", tmp_path / "two")
    said = own("ledger", "witness", tmp_path / "two", *watching, code=1)
    assert "the witness refuses" in said and "were cosigned" in said
    size = int((tmp_path / "two").read_text().split("\n\n")[1].split("\n")[1])
    own("ledger", "checkpoint", "--since", str(size), "--out", tmp_path / "three")
    assert "the witness refuses" in own("ledger", "witness", tmp_path / "three", *watching, code=1)


def test_a_row_leads_to_the_votes_of_a_consortium(tmp_path: Path, region: Path) -> None:
    need_consortium()
    folder, site = tmp_path / "c", json.loads((region / "region.json").read_bytes())["sites"][0]
    one = Xinglin(folder / "institution-1")
    try:
        one("ledger", "demo", folder, "--port", "28656")
        assert "anchored 1 batch," in one("ingest", region / site["folder"], "--site", site["name"])
        assert "anchored 1 build," in one("run")
        row = a_row(one)
        proof = one.json("verify", "--row", row, "--json")
        assert proof["holds"] and proof["anchored"] is True and proof["institution"] == "institution-1"
        assert "of 40 of the voting power at height" in proof["vouched_by"]
        one("ledger", "prove", "row", row, "--out", tmp_path / "row.cbor")
    finally:
        one("ledger", "demo", folder, "--stop")
    # The validators are gone; another institution's genesis is enough.
    genesis = folder / "institution-3" / "ledger" / "genesis.json"
    (told,) = stranger(tmp_path, "row.cbor", "--trust", genesis, "--json")
    assert told["leaf"] == proof["leaf"]
    assert "of 40 of the voting power at height" in told["by"]
