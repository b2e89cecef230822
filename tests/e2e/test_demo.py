from __future__ import annotations

import json

import pytest

from .conftest import Xinglin

pytestmark = pytest.mark.e2e


def test_the_demo_finds_what_the_generator_put_in(tmp_path):
    xinglin = Xinglin(tmp_path / "unused")
    out = tmp_path / "demo"
    found = json.loads(xinglin("demo", "--out", out, "--persons", "250", "--json"))
    linkage = found["linkage"]
    assert linkage["records"] > linkage["persons_found"] >= 0.97 * linkage["persons_true"]
    assert linkage["precision"] >= 0.98
    assert linkage["trapped"] > 50 and linkage["false_merges"] == 0
    assert linkage["recall"] >= 0.95
    assert len(found["commonest"]) == 10
    with_hypertension, without = found["stroke"]
    assert with_hypertension["hypertension"] is True
    assert with_hypertension["per_1000_years"] > without["per_1000_years"]
    assert (out / "stroke.png").read_bytes().startswith(b"\x89PNG")


def test_the_demo_does_not_touch_a_folder_that_holds_something_else(tmp_path):
    (tmp_path / "thesis.doc").write_text("mine")
    said = Xinglin(tmp_path / "unused")("demo", "--out", tmp_path, code=2)
    assert "holds something else" in said
    assert (tmp_path / "thesis.doc").read_text() == "mine"
