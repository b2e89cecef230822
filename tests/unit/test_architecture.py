"""The layers hold, examples run, nothing heavy loads before it is used, every command is documented."""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest
import typer

import xinglin

REPO = Path(__file__).resolve().parents[2]
SRC = REPO / "src"
HEAVY = {"splink", "deltalake", "pyarrow", "matplotlib", "duckdb", "numpy", "pandas", "orjson", "nacl", "zstandard"}
MODULES = sorted(module.name for module in pkgutil.walk_packages(xinglin.__path__, "xinglin."))
FILES = sorted(path.relative_to(SRC).as_posix() for path in (SRC / "xinglin").rglob("*.py"))


def lint_imports(project: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contract of a project folder, with its own source before any installed one."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(project / "src"), "NO_COLOR": "1"}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project that a test may break."""
    shutil.copy(REPO / "pyproject.toml", tmp_path)
    shutil.copytree(SRC / "xinglin", tmp_path / "src" / "xinglin", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_a_stage_imports_only_what_lies_below_it() -> None:
    found = lint_imports(REPO)

    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("file", "statement", "contract"),
    [
        ("landing/__init__.py", "import xinglin.mart", "A stage imports only what lies below it"),
        ("core/ids.py", "from xinglin.contracts import model", "A stage imports only what lies below it"),
        (
            "mart/check.py",
            "from xinglin.contracts.identity import PATIENT",
            "The pseudonymous zone does not know the identified contracts",
        ),
        ("jobs/run.py", "import xinglin.landing.store", "Jobs and extracts do not know the landing zone"),
        ("sources/tabular/dates.py", "import xinglin.sources.dicom.read", "Formats are independent of one another"),
        (
            "sources/fhir/check.py",
            "import xinglin.sources.tabular.dates",
            "FHIR, the form that every format is converted to, does not know the other formats",
        ),
        ("core/clock.py", "import xinglin.core.settings", "No cycles between siblings at any depth"),
    ],
)
def test_an_import_upward_breaks_the_contract(copy: Path, file: str, statement: str, contract: str) -> None:
    broken = copy / "src" / "xinglin" / file
    broken.write_text(f"{broken.read_text()}\n{statement}\n")
    if contract.startswith("No cycles"):
        settings = copy / "src" / "xinglin" / "core" / "settings.py"
        settings.write_text(f"{settings.read_text()}\nimport xinglin.core.clock\n")

    found = lint_imports(copy)

    assert found.returncode == 1, found.stdout + found.stderr
    assert f"{contract} BROKEN" in " ".join(found.stdout.split())


def test_a_folder_outside_the_layers_breaks_the_contract(copy: Path) -> None:
    (copy / "src" / "xinglin" / "shortcut").mkdir()
    (copy / "src" / "xinglin" / "shortcut" / "__init__.py").write_text('"""Belongs to no layer."""\n')

    assert lint_imports(copy).returncode == 1


@pytest.mark.parametrize("name", [name for name in MODULES if name != "xinglin.__main__"])
def test_the_examples_in_docstrings_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    result = doctest.testmod(importlib.import_module(name), verbose=False, optionflags=doctest.ELLIPSIS)

    assert result.failed == 0, capsys.readouterr().out


@pytest.mark.parametrize("file", FILES)
def test_a_file_says_what_it_is_for_and_what_it_exports(file: str) -> None:
    tree = ast.parse((SRC / file).read_text(encoding="utf-8"))
    public = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    exported = any(
        isinstance(node, ast.Assign | ast.AnnAssign)
        and "__all__" in ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        for node in tree.body
    )

    assert ast.get_docstring(tree) or not tree.body
    assert exported or not public


@pytest.mark.parametrize("top", ["src", "tests", "bench", "docs", "examples"])
def test_a_folder_holds_at_most_15_files(top: str) -> None:
    tracked = subprocess.run(["git", "ls-files", "-z", top], cwd=REPO, capture_output=True, text=True, check=True)
    held = Counter(PurePosixPath(name).parent.as_posix() for name in tracked.stdout.split("\0") if name)

    assert held
    assert {folder: files for folder, files in held.items() if files > 15} == {}


@pytest.mark.parametrize("door", ["xinglin", "xinglin.cli", "xinglin.wiring", "xinglin.flows"])
def test_nothing_heavy_loads_before_it_is_used(door: str) -> None:
    code = f"import {door}, sys; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert HEAVY & set(loaded) == set()


def commands(group: typer.core.TyperGroup, words: tuple[str, ...] = ()) -> list[str]:
    """Every command below a group, in full words."""
    found = []
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found += commands(command, (*words, name))
        elif not command.hidden:
            found.append(" ".join((*words, name)))
    return found


def documented(name: str, text: str) -> bool:
    """Whether a command is written out, or stands in a line that lists its group's commands."""
    *group, last = name.split()
    return f"xinglin {name}" in text or any(
        f"`xinglin {' '.join(group)} " in line and f"`{last}`" in line for line in text.splitlines()
    )


def test_every_command_is_documented_and_says_what_it_does() -> None:
    from xinglin.cli.app import app

    importlib.import_module("xinglin.cli")
    group = typer.main.get_command(app)
    names = commands(group)
    text = "\n".join(path.read_text(encoding="utf-8") for path in (REPO / "README.md", *(REPO / "docs").rglob("*.md")))

    assert {"demo", "run", "status", "verify", "sql", "mart build", "mart check", "identity review"} <= set(names)
    assert [name for name in names if not documented(name, text)] == []
