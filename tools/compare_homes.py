"""Compare two regions byte for byte: batches, identity, mart, and the proofs of sampled rows.

    python -m tools.compare_homes BEFORE/home AFTER/home [--rows 5]

Two versions of the program that take in the same files must give the same region. Signing keys, signatures and the time
at which a batch was made differ between any two regions; everything else must not. Exits 1 and names what differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["data_files", "differences", "main", "manifests", "proofs"]

_OWN = ("time", "previous")
"""Members of a manifest that no two regions share: the time, and the hash of the manifest before it."""
_LEDGER = frozenset(
    (
        "manifest",
        "manifest_sha256",
        "signature",
        "public_key",
        "app_hash",
        "height",
        "vouched_by",
        "log_size",
        "log_index",
    )
)
"""Members of a proof that depend on keys and on the ledger."""
_ROWS = frozenset({"condition_occurrence", "measurement", "drug_exposure", "visit_occurrence"})
"""Tables of which rows are proved."""


def data_files(home: Path) -> dict[str, str]:
    """SHA-256 of every Parquet file of the landing zone and the lake, by its path below the home."""
    paths = (path for part in ("landing", "lake") for path in (home / part).rglob("*.parquet"))
    return {
        path.relative_to(home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(paths)
        if "_delta_log" not in path.parts
    }


def manifests(home: Path) -> dict[str, Any]:
    """What each batch was signed for, but for its time."""
    found = {}
    for path in sorted((home / "landing").rglob("manifest.json")):
        content = json.loads(path.read_bytes())
        found[path.relative_to(home).as_posix()] = {name: content[name] for name in content if name not in _OWN}
    return found


def proofs(home: Path, rows: int) -> dict[str, Any]:
    """What `xinglin verify --row` says of the first rows of each mart table: resource, place, leaf and Merkle root."""
    found: dict[str, Any] = {}
    snapshot = json.loads((home / "lake" / "mart" / "_snapshot.json").read_bytes())
    for table in sorted(_ROWS & set(snapshot["tables"])):
        sql = f"SELECT {table}_id AS id FROM {table} ORDER BY 1 LIMIT {rows}"
        for line in json.loads(_xinglin(home, "sql", sql, "--format", "json")):
            row = f"{table}:{line['id']}"
            proof = json.loads(_xinglin(home, "verify", "--row", row, "--json"))
            found[row] = {name: proof[name] for name in proof if name not in _LEDGER}
    return found


def _xinglin(home: Path, *words: str) -> str:
    command = [sys.executable, "-m", "xinglin", *words, "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def differences(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """Every name that only one side has, or whose value differs."""
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield f"only before: {name}"
        elif name not in before:
            yield f"only after: {name}"
        elif before[name] != after[name]:
            yield f"differs: {name}"


def main() -> int:
    """Print what differs and how much was compared."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--rows", type=int, default=5, help="rows proved of each table")
    asked = parser.parse_args()
    wrong = 0
    for name, read in (
        ("data files", data_files),
        ("manifests", manifests),
        ("proofs", lambda home: proofs(home, asked.rows)),
    ):
        before, after = read(asked.before), read(asked.after)
        found = list(differences(before, after))
        wrong += len(found)
        print(f"{name}: {len(before)} before, {len(after)} after, {len(found)} differences")
        for line in found[:20]:
            print(f"  {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
