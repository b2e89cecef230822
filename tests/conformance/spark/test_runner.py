"""What every runner must do alike."""

from __future__ import annotations

import operator
import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import mart_files
from tests.opened import opened
from xinglin.admission import Stores
from xinglin.core.errors import NotFound, StorageError
from xinglin.flows.questions.job import run_script
from xinglin.flows.stages.run import build
from xinglin.lake import LocalRunner, Runner

from . import tasks

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "jobs"


def test_results_come_in_the_order_of_the_items(runner: Runner):
    assert runner.map(operator.neg, list(range(70))) == [-item for item in range(70)]


def test_results_of_slow_tasks_stand_where_their_items_stood(runner: Runner):
    assert runner.map(tasks.slow, [0.3, 0.0, 0.1, 0.0]) == [0.3, 0.0, 0.1, 0.0]


def test_no_items_give_no_results(runner: Runner):
    assert runner.map(operator.neg, []) == []


def test_progress_hears_every_result_once(runner: Runner):
    heard: list[int] = []
    runner.map(operator.neg, list(range(40)), heard.append)
    assert sorted(heard) == sorted(-item for item in range(40))


def test_an_error_comes_through_with_its_type_and_message(runner: Runner):
    with pytest.raises(KeyError, match="seventeen"):
        runner.map(tasks.fails_with_a_key_error, [1, 17, 2])


def test_an_error_of_our_own_keeps_what_it_says(runner: Runner):
    with pytest.raises(NotFound) as raised:
        runner.map(tasks.fails_with_an_error_of_ours, [1])
    assert raised.value.remedy == "look elsewhere"
    assert str(raised.value) == "it is not there (here). Fix: look elsewhere."


def test_the_first_failing_task_ends_the_rest(runner: Runner, tmp_path: Path):
    begun = time.monotonic()
    with pytest.raises(ValueError, match="enough"):
        runner.map(tasks.fails_at_once_or_sleeps, [(str(tmp_path), number) for number in range(200)])
    assert len(list(tmp_path.iterdir())) < 200
    assert time.monotonic() - begun < 60
    # And the next work is done as if nothing had been.
    assert runner.map(operator.neg, [1, 2]) == [-1, -2]


def test_progress_that_raises_ends_the_work(runner: Runner):
    def refuse(_: int) -> None:
        raise InterruptedError("stop")

    with pytest.raises(InterruptedError):
        runner.map(operator.neg, [1, 2, 3], refuse)
    assert runner.map(operator.neg, [1]) == [-1]


def test_a_killed_process_is_replaced_or_named(runner: Runner, tmp_path: Path):
    items = [(str(tmp_path / "killed"), number) for number in range(6)]
    if isinstance(runner, LocalRunner):
        if not runner.processes:
            # A thread cannot be killed without the process.
            return
        with pytest.raises(StorageError, match="killed"):
            runner.map(tasks.kills_its_process_once, items)
    else:
        assert runner.map(tasks.kills_its_process_once, items) == list(range(6))
        assert (tmp_path / "killed").exists()


def test_a_generated_region_gives_the_same_mart_byte_by_byte(
    runner: Runner, linked: Path, expected: dict[str, bytes], copied: Callable[[Path], Stores]
):
    stores = copied(linked)
    report = build(stores, runner=runner)
    assert report.rows["measurement"] > 0
    _same(mart_files(stores.settings.home), expected)


@pytest.mark.real
def test_real_records_give_the_same_mart_byte_by_byte(
    runner: Runner, linked_synthea: Path, expected_synthea: dict[str, bytes], copied: Callable[[Path], Stores]
):
    stores = copied(linked_synthea)
    report = build(stores, runner=runner)
    assert report.rows["person"] == 3
    _same(mart_files(stores.settings.home), expected_synthea)


@pytest.mark.parametrize("name", ["word_count", "comorbidity", "length_of_stay"])
def test_the_example_jobs_give_the_same_result(
    runner: Runner, built: Path, copied: Callable[[Path], Stores], job_results: Callable[[str], Any], name: str
):
    report = run_script(
        copied(built), EXAMPLES / f"{name}.py", {"least": "1"} if name != "length_of_stay" else {}, runner
    )
    assert report.result.num_rows > 0
    assert report.mapped == report.buckets
    assert report.result.equals(job_results(name))


@pytest.fixture(scope="session")
def job_results(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """What each example gives when one thread runs it."""
    home = tmp_path_factory.mktemp("jobs") / "home"
    shutil.copytree(built, home)

    @cache
    def result(name: str) -> Any:
        told = {"least": "1"} if name != "length_of_stay" else {}
        return run_script(opened(home), EXAMPLES / f"{name}.py", told, LocalRunner(1)).result

    return result


def _same(ours: dict[str, bytes], theirs: dict[str, bytes]) -> None:
    assert sorted(ours) == sorted(theirs)
    assert [name for name in ours if ours[name] != theirs[name]] == []
