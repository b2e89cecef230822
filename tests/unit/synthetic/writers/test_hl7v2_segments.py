"""Segments: delimiters escaped, times with their offset, and fields where the standard puts them."""

from __future__ import annotations

from random import Random

from xinglin.synthetic.plan import RegionPlan
from xinglin.synthetic.population.people import make_person
from xinglin.synthetic.population.registration import register
from xinglin.synthetic.vocabulary.terms import HYPERTENSION, STROKE_ISCHAEMIC
from xinglin.synthetic.writers.hl7v2_segments import coded, escaped, patient, segment, stamp

PLAN = RegionPlan(persons=400, seed=3)
SITE = PLAN.sites[1]
CARDS = [register(3, make_person(PLAN, n), SITE, PLAN.last_day, Random(n)) for n in range(PLAN.persons)]


def test_delimiters_are_escaped() -> None:
    assert escaped(r"a|b^c&d~e\f") == r"a\F\b\S\c\T\d\R\e\E\f"


def test_times_carry_the_offset() -> None:
    assert stamp(PLAN.last_day * 1440 + 495) == "20251231081500+0800"
    assert stamp(None) == ""


def test_unused_fields_stay_empty() -> None:
    assert segment("ABC", {2: "x", 4: "y"}) == "ABC||x||y"


def test_diagnoses_carry_their_icd_10_code_as_the_alternate() -> None:
    assert coded(HYPERTENSION) == "38341003^Hypertension^SCT^I10^^I10"
    assert coded(STROKE_ISCHAEMIC).endswith("^I63.9^^I10")


def test_a_patient_is_written_as_the_front_desk_wrote_them() -> None:
    for card in CARDS:
        fields = patient(SITE, card).split("|")
        kinds = [number.split("^")[4] for number in fields[3].split("~")]
        assert kinds[:2] == ["PI", "MR"]
        assert kinds[2:] == ([] if card.national_id is None else ["PPN" if card.id_country else "NI"])
        assert fields[5].split("^")[:2] == [card.family, card.given]
        assert fields[7] == (card.birth or "").replace("-", "")
        assert fields[8] == {"male": "M", "female": "F", None: ""}[card.sex]
        assert (card.phone or "") == fields[13].split("^")[-1]
        home = fields[11].split("^") if fields[11] else [""] * 9
        assert (home[0], home[2], home[4], home[8]) == (
            card.line or "", card.city or "", card.postal_code or "", card.district or "",
        )  # fmt: skip
