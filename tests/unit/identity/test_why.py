from __future__ import annotations

import pytest

from tests.unit.identity.handmade import CLOCK, Region, patient
from tests.unit.identity.persons.test_declared import numbered
from tests.unit.identity.test_link import WANG, crowd
from xinglin.core.errors import NotFound
from xinglin.identity import decide, explain


@pytest.fixture
def crowded(region: Region) -> Region:
    region.land("a", [*crowd(150), patient("1", "王", "小红", "1980-05-06", **WANG)])
    region.land(
        "b", [patient("2", "王", "小红", "1980-05-06", **WANG), patient("3", "王", "大红", "1980-05-06", **WANG)]
    )
    region.link()
    return region


def probability(region: Region, left: str, right: str) -> float:
    import duckdb

    from xinglin.identity.decisions import record_key

    low, high = sorted((record_key(left), record_key(right)))
    pairs = duckdb.read_parquet(region.lake.require("identity", "").files("pair"))
    return float(
        pairs.filter(f"patient_key_l = {low} AND patient_key_r = {high}").project("probability").fetchall()[0][0]
    )


def test_the_weights_add_up_to_what_linking_found(crowded: Region) -> None:
    found = explain(crowded.lake, "a/1", "b/2")
    assert found.together and "one person" in found.verdict
    assert found.total == pytest.approx(sum(weight.bits for weight in found.weights), abs=0.01)
    assert found.probability == pytest.approx(probability(crowded, "a/1", "b/2"), abs=1e-4)


def test_a_doubt_is_named_and_no_value_is_shown(crowded: Region) -> None:
    found = explain(crowded.lake, "b/3", "a/1")
    assert not found.together
    assert ("given-name-alike", "doubt") in {rule[:2] for rule in found.contradictions}
    assert not {"王", "小红", "1980-05-06", "13800138000"} & {
        piece for one in found.weights for piece in str(one).split()
    }


def test_a_decision_and_a_declaration_are_said_to_be_one(crowded: Region) -> None:
    decide(crowded.lake, "merge", "a/1", "b/3", who="Dr Lin", why="card seen", clock=CLOCK)
    image = numbered(patient("image", "王", "小红", "1980-05-06"), "H-1", "urn:xinglin:patient-number")
    crowded.land("c", [numbered(patient("9", "王", "小红", "1980-05-06"), "H-1"), image])
    crowded.link()
    assert "decided: merge" in explain(crowded.lake, "a/1", "b/3").verdict
    assert "declares" in explain(crowded.lake, "c/9", "c/image").verdict


def test_a_record_that_is_not_there_is_refused_without_its_id(crowded: Region) -> None:
    with pytest.raises(NotFound) as caught:
        explain(crowded.lake, "a/1", "b/secret-7")
    assert "secret-7" not in str(caught.value)
