"""Generate a region: blocks of persons in parallel, written in order, so the bytes do not depend on the workers."""

from __future__ import annotations

import csv
import io
import multiprocessing
import os
import shutil
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from xinglin.core.errors import Conflict
from xinglin.core.files import full_disk
from xinglin.core.progress import Steps
from xinglin.synthetic.describe import describe
from xinglin.synthetic.imaging.images import ImageOrder, order_images, write_images
from xinglin.synthetic.life.care import make_charts
from xinglin.synthetic.life.course import Course, simulate_course
from xinglin.synthetic.life.hazards import HazardModel
from xinglin.synthetic.parts import Data, Parts, encode
from xinglin.synthetic.plan import RegionPlan, RegionReport
from xinglin.synthetic.population.attendance import attended_sites
from xinglin.synthetic.population.people import Person, make_person
from xinglin.synthetic.population.registration import register
from xinglin.synthetic.population.traps import traps
from xinglin.synthetic.records import day_text
from xinglin.synthetic.streams import stream
from xinglin.synthetic.vocabulary.terms import ATRIAL_FIBRILLATION, DIABETES, HYPERTENSION
from xinglin.synthetic.writers import Lines, Writer, formats, writer

__all__ = ["OUTCOME_COLUMNS", "generate", "make_block"]

OUTCOME_COLUMNS = (
    "person", "sex", "birth_date", "twin", "followed_from", "followed_until", "hypertension_onset",
    "hypertension_treated_from", "diabetes_onset", "atrial_fibrillation_onset", "anticoagulated_from", "smoker", "ldl",
    "first_stroke", "stroke_kind", "strokes", "death", "death_cause",
)  # fmt: skip


@dataclass
class _Block:
    """Result of one task: lines of every site, rows of the ground truth, and head studies to draw."""

    data: Data = field(default_factory=dict)
    persons: bytes = b""
    outcomes: bytes = b""
    patients: int = 0
    images: list[ImageOrder] = field(default_factory=list)


def _table(rows: list[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _outcome(plan: RegionPlan, person: Person, course: Course) -> tuple[object, ...]:
    onset = course.onset
    first = course.strokes[0] if course.strokes else None
    dates = (onset.get(HYPERTENSION), course.treated_from, onset.get(DIABETES), onset.get(ATRIAL_FIBRILLATION),
             course.anticoagulated_from)  # fmt: skip
    return (
        person.number, person.sex, day_text(person.birth), int(person.twin),
        day_text(max(plan.first_day, person.birth)),
        day_text(plan.last_day if course.death is None else course.death),
        *("" if day is None or day > plan.last_day else day_text(day) for day in dates),
        int(course.smokes), f"{course.ldl:.2f}", day_text(first.day) if first else "",
        ("ischaemic" if first.ischaemic else "haemorrhagic") if first else "", len(course.strokes),
        "" if course.death is None else day_text(course.death), course.cause,
    )  # fmt: skip


def _register_only(
    plan: RegionPlan, writers: list[Writer], person: Person, lines: list[Lines]
) -> Iterator[tuple[object, ...]]:
    """Register a person at the attended sites, without visits."""
    rng = stream(plan.seed, person.number, "institutions")
    first = max(plan.first_day, person.birth)
    for site in attended_sites(plan, rng):
        card = register(plan.seed, person, site, first + int(rng.random() * (plan.last_day - first)), rng)
        writers[site.index].patient(site, card, lines[site.index])
        yield person.number, site.name, card.local_id


def _set_traps(plan: RegionPlan, persons: BinaryIO, truth: Path) -> tuple[Data, int]:
    """Write the truth about the traps; returns their lines and the number of their records."""
    writers = [writer(site.format) for site in plan.sites]
    lines: list[Lines] = [{} for _ in plan.sites]
    rows: list[tuple[object, ...]] = []
    kinds: dict[int, str] = {}
    for record in traps(plan):
        writers[record.site.index].patient(record.site, record.registration, lines[record.site.index])
        rows.append((record.person, record.site.name, record.registration.local_id))
        kinds[record.person] = record.kind
    persons.write(_table(rows))
    (truth / "traps.csv").write_bytes(b"person,kind\n" + _table(list(kinds.items())))
    return encode(plan, lines), len(rows)


def make_block(plan: RegionPlan, number: int) -> _Block:
    """Generate everything about the persons of one block."""
    sites = plan.sites
    writers = [writer(site.format) for site in sites]
    model = HazardModel()
    lines: list[Lines] = [{} for _ in sites]
    persons: list[tuple[object, ...]] = []
    outcomes: list[tuple[object, ...]] = []
    images: list[ImageOrder] = []
    begin = number * plan.persons_per_block
    for index in range(begin, min(begin + plan.persons_per_block, plan.persons)):
        person = make_person(plan, index)
        if plan.patients_only:
            persons.extend(_register_only(plan, writers, person, lines))
            continue
        course = simulate_course(person, plan, model)
        for chart in make_charts(plan, person, course):
            place = chart.site.index
            if plan.images:
                images.extend(order_images(index, chart))
            writers[place].chart(chart, plan.seed, lines[place])
            persons.append((index, chart.site.name, chart.registration.local_id))
        outcomes.append(_outcome(plan, person, course))
    return _Block(encode(plan, lines), _table(persons), _table(outcomes), len(persons), images[: plan.images])


def _blocks(plan: RegionPlan, count: int, workers: int) -> Iterator[_Block]:
    """All blocks in order; at most two per worker are in memory."""
    if workers == 1:
        for number in range(count):
            yield make_block(plan, number)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting: deque[Future[_Block]] = deque()
        for number in range(count):
            waiting.append(pool.submit(make_block, plan, number))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _write(plan: RegionPlan, out: Path, progress: Steps | None) -> RegionReport:
    """Write every file of the region into a temporary folder."""
    for site in plan.sites:
        (out / site.name).mkdir(parents=True)
    truth = out / "truth"
    truth.mkdir()
    parts = Parts(plan, out)
    patients, images = 0, list[ImageOrder]()
    parts.add(encode(plan, [writer(site.format).institution(site, plan.seed) for site in plan.sites]))
    count = -(-plan.persons // plan.persons_per_block)
    workers = min(count, plan.workers or len(os.sched_getaffinity(0)))
    with (truth / "persons.csv").open("wb") as persons, (truth / "outcomes.csv").open("wb") as outcomes:
        persons.write(b"person,site,local_id\n")
        if not plan.patients_only:
            outcomes.write(",".join(OUTCOME_COLUMNS).encode() + b"\n")
        for number, block in enumerate(_blocks(plan, count, workers)):
            parts.add(block.data)
            persons.write(block.persons)
            outcomes.write(block.outcomes)
            patients += block.patients
            images.extend(block.images[: plan.images - len(images)])
            if progress is not None:
                progress(min((number + 1) * plan.persons_per_block, plan.persons), plan.persons)
        if plan.traps:
            data, count = _set_traps(plan, persons, truth)
            parts.add(data)
            patients += count
    parts.finish()
    objects = write_images(plan, images, out) if plan.images else 0
    describe(plan, out)
    files, size = parts.measure()
    other = {
        f"{form} {stem}": count for form in formats() if form != "fhir" for stem, count in parts.named(form).items()
    }
    return RegionReport(out, plan.persons, patients, files, size, 0.0, parts.named("fhir"), other, objects)


def generate(plan: RegionPlan, out: Path, progress: Steps | None = None) -> RegionReport:
    """Generate a region into a new folder; the folder appears complete or not at all.

    Args:
        plan: What to generate.
        out: The folder; it must not exist or must be empty.
        progress: Called with the number of finished persons and the total.

    Raises:
        Conflict: The folder is not empty.
        StorageError: The disk is full or cannot be written.

    Example:
        >>> import tempfile
        >>> report = generate(RegionPlan(persons=3, workers=1), Path(tempfile.mkdtemp()) / "region")
        >>> report.persons, report.patients >= 3
        (3, True)
    """
    started = time.monotonic()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Conflict("the folder is not empty", source=str(out), remedy="choose a new folder")
    partial = out.with_name(f".{out.name}.partial")
    with full_disk(out):
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(parents=True)
        try:
            report = _write(plan, partial, progress)
            os.replace(partial, out)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return replace(report, out=out, seconds=time.monotonic() - started)
