"""Run one benchmark at toy size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
TOY = 2_000


def run_toy(name: str, data: Path, results: Path) -> dict[str, Any]:
    """The figures of a benchmark; nothing is installed for it."""
    data.mkdir(exist_ok=True)
    environment = {"XINGLIN_BENCH_DATA": str(data), "XINGLIN_BENCH_RESULTS": str(results)}
    command = [sys.executable, "-m", "bench", name, "--resources", str(TOY), "--times", "1", "--offline"]
    done = subprocess.run(command, cwd=REPO, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return written(results)


def written(results: Path) -> dict[str, Any]:
    """The figures in the one file that a benchmark wrote."""
    [figures] = [json.loads(path.read_bytes()) for path in results.rglob("*.json")]
    assert isinstance(figures, dict)
    return figures
