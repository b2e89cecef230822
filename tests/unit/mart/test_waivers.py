"""What is implausible is counted, shown and can be waived; only structure blocks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from tests.unit.mart.handmade import Rows, account, publish, sound
from tests.unit.mart.region_of import TinyRegion, about, code, patient
from xinglin.core.clock import fixed_clock
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.core.waiver import Waiver
from xinglin.lake import Lake
from xinglin.mart import CheckReport, check_mart, rules

NOW = fixed_clock(datetime(2026, 1, 1, tzinfo=UTC))
COST = "plausibleValueLow.cost.total_paid"


def checked(folder: Path, rows: Rows, *waivers: Waiver) -> CheckReport:
    lake = publish(folder / "lake", rows)
    return check_mart(lake, Settings(home=folder, threads=1, waivers=waivers), clock=NOW)


def negative_payments(count: int) -> Rows:
    rows = sound()
    rows["cost"] = [
        {**rows["cost"][0], "cost_id": 900 + n, "total_paid": -1.0 if n < count else 1.0} for n in range(10)
    ]
    return rows | account(rows)


def waiver(threshold: float = 0.5, until: date = date(2026, 1, 31), check: str = COST) -> Waiver:
    return Waiver(check, threshold, "Data steward", until, "refunds")


def test_only_structure_blocks() -> None:
    blocking = {(rule.category, rule.name) for rule in rules(date(2026, 1, 1)) if rule.blocking}
    assert {name for category, name in blocking if category == "plausibility"} == {
        "plausibleStartBeforeEnd",  # of eras and periods, which the build itself makes
        "plausibleValueLow",  # counts of rows in an era, which the build itself makes
    }


def test_a_waived_check_has_not_failed_and_says_who_until_when_and_why(tmp_path: Path) -> None:
    report = checked(tmp_path, negative_payments(3), waiver())

    assert (report.failed, report.summary()["waived"]) == ((), 1)
    ((status, name, *_, remark),) = report.table()[1]
    assert (status, name) == ("waived", COST)
    assert remark.endswith("waived up to 50.00% until 2026-01-31 by Data steward: refunds")
    (found,) = [check for check in report.to_json()["checks"] if check["waiver"]]
    assert found["waiver"] == {"threshold": 0.5, "by": "Data steward", "until": "2026-01-31", "why": "refunds"}


def test_a_waiver_that_is_exceeded_or_has_expired_has_no_effect(tmp_path: Path) -> None:
    exceeded = checked(tmp_path / "a", negative_payments(6), waiver())
    expired = checked(tmp_path / "b", negative_payments(3), waiver(until=date(2025, 12, 31)))

    for report in (exceeded, expired):
        assert [result.name for result in report.failed] == [COST]
        assert "exceeded or has expired" in report.table()[1][0][-1]


def test_a_check_that_blocks_cannot_be_waived(tmp_path: Path) -> None:
    rows = sound()
    rows["note"].append(dict(rows["note"][0]))
    name = "isPrimaryKey.note.note_id"

    report = checked(tmp_path, rows, waiver(1.0, check=name))

    assert name in report.blocking
    assert any("cannot be waived" in text for text in report.explanations([name]))


def test_an_explanation_names_rows_and_no_values(tmp_path: Path) -> None:
    rows = negative_payments(2)
    rows["cost"][0]["total_paid"] = -424242.25

    (text,) = checked(tmp_path, rows).explanations()

    assert text.startswith(f"{COST}: failed")
    assert "900, 901" in text and "2 of 10 rows, 20.00%; allowed 1.00%" in text
    assert "424242" not in text


def test_dates_that_cannot_be_true_are_counted_with_the_resources_they_stand_in(tmp_path: Path) -> None:
    region = TinyRegion(tmp_path)
    region.link({("mercy", "p1"): 17, ("mercy", "p2"): 18})
    drug = {"status": "completed", "medicationCodeableConcept": code("1")}
    region.land(
        [
            patient(deceasedDateTime="9999-12-31"),
            patient("p2", birthDate="1849-05-05"),
            about("MedicationStatement", "s", effectivePeriod={"start": "2024-03-01", "end": "9999-12-31"}, **drug),
            about("Procedure", "r", status="completed", code=code("1"), performedDateTime="1900-01-01"),
        ]
    )

    report = region.build()
    checks = check_mart(Lake(tmp_path / "lake", permit=OPEN), Settings(home=tmp_path, threads=1), clock=NOW)

    assert report.excluded == {"date-implausible": 1, "no-person": 1}
    assert region.ask("SELECT resource_type, row, field FROM implausible_value ORDER BY ALL") == [
        ("MedicationStatement", 0, "end"),
        ("Patient", 0, "death"),
        ("Patient", 1, "birth"),
        ("Procedure", 0, "start"),
    ]
    failed = {result.rule.field: result for result in checks.failed if result.rule.name == "isPlausibleDate"}
    assert {field: result.rows_failed for field, result in failed.items()} == {
        "birth": 1, "death": 1, "end": 1, "start": 1,
    }  # fmt: skip
    assert checks.blocking == ()
    assert failed["birth"].row_ids[0] in "\n".join(checks.explanations())
