"""Figures of risk, against a plain computation that shares nothing with them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.release.conftest import Ask, Row
from xinglin.release.cells import suppress
from xinglin.release.risk import Knowledge, RiskReport, measure

RECORD = st.tuples(st.integers(1, 12), st.sampled_from("fm"), st.sampled_from([1950, 1960, None]), st.integers(1, 3))


def _measured(records: list[tuple[Any, ...]], **more: Any) -> RiskReport:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE made (xinglin_row_number BIGINT, who BIGINT, sex VARCHAR, born INTEGER, code INT)")
    connection.executemany("INSERT INTO made VALUES (?, ?, ?, ?, ?)", [[n, *row] for n, row in enumerate(records)])
    return measure(connection, "made", Knowledge(("sex", "born"), sensitive="code", **more))


def _naive(records: list[tuple[Any, ...]]) -> dict[str, Any]:
    """k-anonymity of persons known by all their values, in plain Python."""
    known: dict[int, set[tuple[Any, ...]]] = defaultdict(set)
    told: dict[int, set[int]] = defaultdict(set)
    for who, sex, born, code in records:
        known[who].add((sex, born))
        told[who].add(code)
    signature = {who: frozenset(values) for who, values in known.items()}
    sizes = Counter(signature.values())
    diversity, entropy = [], []
    for one in sizes:
        codes = Counter(code for who in known if signature[who] == one for code in told[who])
        total = sum(codes.values())
        diversity.append(len(codes))
        entropy.append(math.exp(-sum(n / total * math.log(n / total) for n in codes.values())))
    return {
        "persons": len(known), "classes": len(sizes), "k": min(sizes.values()),
        "uniques": sum(size == 1 for size in sizes.values()),
        "below": sum(size for size in sizes.values() if size < 5),
        "average": sum(1 / sizes[one] for one in signature.values()) / len(known),
        "l": min(diversity), "entropy": min(entropy),
    }  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.lists(RECORD, min_size=1, max_size=40))
def test_k_anonymity_is_what_a_plain_computation_finds(records: list[tuple[Any, ...]]) -> None:
    report, naive = _measured(records, person="who"), _naive(records)

    assert (report.persons, report.classes, report.k) == (naive["persons"], naive["classes"], naive["k"])
    assert (report.uniques, report.below) == (naive["uniques"], naive["below"])
    assert report.prosecutor["worst"] == pytest.approx(1 / naive["k"])
    assert report.prosecutor["average"] == pytest.approx(naive["average"])
    assert (report.l_distinct, report.l_entropy) == (naive["l"], pytest.approx(naive["entropy"]))
    assert sum(row["persons"] for row in report.sizes) == naive["persons"]


def test_journalist_and_marketer_risk_look_at_the_population() -> None:
    records = [(1, "f", 1950, 1), (2, "f", 1950, 1), (3, "m", 1960, 2)]
    everybody = "SELECT * FROM (VALUES ('f', 1950), ('f', 1950), ('f', 1950), ('f', 1950), ('m', 1960), ('m', 1960))"

    report = _measured(records, person="who", population=f"SELECT * FROM ({everybody}) AS p(sex, born)")

    assert report.prosecutor == {"worst": 1.0, "average": pytest.approx(2 / 3)}
    assert report.journalist == {"worst": 0.5, "average": pytest.approx((0.25 + 0.25 + 0.5) / 3)}
    assert report.marketer == pytest.approx(1 / 3)


def test_an_extract_with_too_high_a_risk_is_refused_unless_a_reason_is_given(
    ask: Ask, rows: dict[str, list[Row]]
) -> None:
    question = "SELECT person_id, gender_concept_id, year_of_birth FROM person"
    sizes = Counter((row["gender_concept_id"], max(row["year_of_birth"], 1936)) for row in rows["person"])
    limit = 1 / (min(sizes.values()) + 1)

    refused, accepted = ask(question, most_risk=limit), ask(question, most_risk=limit, accepted="trial 7")
    dropped = ask(question, most_risk=limit, drop_risky=True)

    assert refused.risk is not None and refused.risk.k == min(sizes.values())
    assert refused.refused is not None and accepted.refused is None and dropped.refused is None
    assert dropped.persons_dropped == sum(size for size in sizes.values() if size < min(sizes.values()) + 1)
    assert dropped.table.num_rows == 100 - dropped.persons_dropped


def test_a_quasi_identifier_by_another_name_is_still_one(ask: Ask) -> None:
    plain = ask("SELECT person_id, gender_concept_id, year_of_birth FROM person", accepted="a test").risk
    renamed = ask(
        "SELECT who, g, born FROM (SELECT person_id AS who, gender_concept_id AS g, year_of_birth + 1 AS born"
        " FROM person) AS p",
        accepted="a test",
    ).risk

    assert plain and renamed and (renamed.k, renamed.classes) == (plain.k, plain.classes)
    assert set(renamed.quasi) == {"g", "born"}


def test_dates_count_when_it_is_said_how_exactly_they_are_known(ask: Ask) -> None:
    question = "SELECT person_id, visit_start_date FROM visit_occurrence"
    shifted, years, days = (ask(question, dates=dates, accepted="a test").risk for dates in (None, "year", "day"))

    assert shifted and years and days
    assert shifted.classes == 1 < years.classes < days.classes


@given(st.lists(st.tuples(st.integers(), st.integers(0, 12)), max_size=8))
def test_no_cell_of_few_persons_leaves_and_none_leaves_alone_untold(cells: list[tuple[int, int]]) -> None:
    rows = [(value, persons, persons) for value, persons in cells]

    told = suppress(rows, [(1,)], 5)

    small = sum(persons < 5 for _, persons in cells)
    assert told.cells == told.left_out == len(cells) - len(told.rows)
    assert told.left_out == small + (small == 1 and len(cells) > 1)
