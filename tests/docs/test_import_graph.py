"""The tool that draws the import graph, on a small tree."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tools.import_graph import draw, measure

FILES = {
    "pyproject.toml": '[tool.importlinter]\n[[tool.importlinter.contracts]]\ntype = "layers"\n'
    'layers = ["cli", "mart | views", "core", "later"]\n',
    "src/toy/__init__.py": "",
    "src/toy/cli.py": "import toy.mart.build\nimport toy.core\n",
    "src/toy/mart/__init__.py": "",
    "src/toy/mart/build.py": "import toy.core\n",
    "src/toy/mart/rules.csv": "a\n",
    "src/toy/views.py": "",
    "src/toy/core.py": "",
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def test_packages_stand_in_their_layers_with_the_files_of_all_kinds(tree: Path):
    picture = measure(tree, "toy", package="toy")

    assert picture.layers == (("cli",), ("mart", "views"), ("core",))
    assert picture.packages["mart"].files == 3


def test_an_import_that_a_chain_implies_is_not_needed(tree: Path):
    picture = measure(tree, "toy", package="toy")

    assert picture.imports == {("cli", "core"): 1, ("cli", "mart"): 1, ("mart", "core"): 1}
    assert picture.needed() == {("cli", "mart"), ("mart", "core")}


def test_an_import_upwards_is_red(tree: Path):
    upright = draw(measure(tree, "toy", package="toy"))
    (tree / "src" / "toy" / "core.py").write_text("import toy.views\n")

    assert "#c0392b" not in upright
    assert "#c0392b" in draw(measure(tree, "toy", package="toy"))
