"""A whole region on one machine: generated, gathered, linked, built, checked and asked."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.admission.stores import Progress, Stores
from xinglin.flows.stages.run import RunReport, ingest_all, run
from xinglin.flows.stages.sites import ensure_site, set_site

if TYPE_CHECKING:
    from xinglin.landing import IngestReport

__all__ = [
    "FORMS", "Demo", "Linkage", "Spoken", "gather", "generate_region", "linkage_quality", "play",
    "stroke_by_hypertension",
]  # fmt: skip

FORMS = ("institutional", "fhir")
"""How the demo's institutions write: each in its own format, or all in FHIR."""
IMAGES = 24
"""Head studies that get pixels in the institutional form."""
TRAPS = 3
"""Groups of each kind of people who look alike and are not one person."""

_IMAGED = """
    SELECT (SELECT count(DISTINCT image_study_uid) FROM image_occurrence), count(DISTINCT image_study_uid), count(*)
    FROM image_instance
"""

_COMMONEST = """
    SELECT coalesce(any_value(code.display), condition.condition_source_value) AS condition,
           condition.condition_source_value AS code,
           count(DISTINCT condition.person_id) AS persons
    FROM condition_occurrence AS condition
    LEFT JOIN (SELECT code, min(display) AS display FROM unmapped_code GROUP BY ALL) AS code
      ON code.code = condition.condition_source_value
    GROUP BY condition.condition_source_value
    ORDER BY persons DESC, code
    LIMIT 10
"""

# First stroke per person-year under observation; a person counts as hypertensive from the first diagnosis on, so that
# years before it are not lent to it (no immortal time).
_STROKE = """
    WITH first AS (
        SELECT person_id,
               min(condition_start_date) FILTER (condition_source_value IN ('38341003', '59621000')) AS hypertension,
               min(condition_start_date) FILTER (condition_source_value = '230690007') AS stroke
        FROM condition_occurrence
        GROUP BY person_id
    ),
    followed AS (
        SELECT period.person_id,
               period.observation_period_start_date AS start,
               least(period.observation_period_end_date, first.stroke) AS stop,
               first.hypertension,
               first.stroke
        FROM observation_period AS period
        LEFT JOIN first USING (person_id)
        WHERE first.stroke IS NULL OR first.stroke >= period.observation_period_start_date
    ),
    spans AS (
        SELECT true AS hypertension,
               date_diff('day', greatest(start, hypertension), stop) / 365.25 AS years,
               stroke IS NOT NULL AS stroke
        FROM followed
        WHERE hypertension IS NOT NULL AND hypertension <= stop
        UNION ALL
        SELECT false,
               date_diff('day', start, least(stop, hypertension)) / 365.25,
               stroke IS NOT NULL AND (hypertension IS NULL OR hypertension > stop)
        FROM followed
        WHERE hypertension IS NULL OR hypertension > start
    )
    SELECT hypertension, count(*) AS persons, sum(years) AS person_years, count(*) FILTER (stroke) AS strokes
    FROM spans
    GROUP BY hypertension
    ORDER BY hypertension DESC
"""


@dataclass(frozen=True)
class Linkage:
    """How well records were linked, against the truth that the generator wrote down.

    Args:
        records: Patient records of all institutions.
        persons_found: Persons after linking.
        persons_true: Persons that there really are.
        precision: Share of the linked pairs that are one person.
        recall: Share of the true pairs that were linked.
        false_merges: True persons too many inside the persons found.
        trapped: Records of people who look alike: families, twins, newborns, namesakes, unidentified.
    """

    records: int
    persons_found: int
    persons_true: int
    precision: float
    recall: float
    false_merges: int = 0
    trapped: int = 0


@dataclass(frozen=True)
class Spoken:
    """What one institution sent, and what became of it.

    Args:
        site: Its name.
        kind: hospital, health-centre, clinic or exam-centre.
        writes: The format it writes.
        received: Records received: landed, known already, or set aside.
    """

    site: str
    kind: str
    writes: str
    received: int
    landed: int
    duplicate: int
    quarantined: int


@dataclass(frozen=True)
class Images:
    """What the mart knows of images.

    Args:
        studies: Imaging studies that were noted.
        imaged: Those of them with images.
        instances: The images.
    """

    studies: int
    imaged: int
    instances: int


@dataclass(frozen=True)
class Demo:
    """What the demo found."""

    run: RunReport
    spoken: list[Spoken]
    images: Images
    linkage: Linkage
    commonest: list[tuple[str, str, int]]
    stroke: list[dict[str, Any]]
    seconds: dict[str, float]
    plot: Path | None


def generate_region(
    out: Path, persons: int, seed: int, form: str = "institutional", progress: Progress | None = None
) -> None:
    """Write the demo's institutions and their truth.

    Args:
        out: A new folder.
        persons: How many persons live there.
        seed: Same seed, same region.
        form: One of `FORMS`.
        progress: Told of every step.
    """
    from xinglin.synthetic import RegionPlan, generate, institutional

    own = form == "institutional"
    plan = RegionPlan(
        persons, seed=seed, formats=institutional(4) if own else (), images=IMAGES if own else 0, traps=TRAPS
    )
    generate(plan, out, _steps(progress, "generate"))


def gather(stores: Stores, region: Path, progress: Progress | None = None) -> list[Spoken]:
    """Register the generated institutions with their formats, and land what they wrote."""
    sites = json.loads((region / "region.json").read_bytes())["sites"]
    inputs: list[tuple[str, Path | str]] = []
    for site in sites:
        ensure_site(stores.landing, site["name"], site["kind"])
        mapping = region / site["mapping"] if site["mapping"] else None
        set_site(stores.landing, site["name"], form=site["format"], mapping=mapping)
        database = site["database"]
        inputs.append((site["name"], f"sqlite:///{region / database}" if database else region / site["folder"]))
    reports = ingest_all(stores, inputs, progress)
    return [_spoken(site, report) for site, report in zip(sites, reports, strict=True)]


def _spoken(site: dict[str, str], report: IngestReport) -> Spoken:
    counts = (report.received, report.landed, report.duplicate, report.quarantined)
    return Spoken(site["name"], site["kind"], site["writer"], *counts)


def play(stores: Stores, region: Path, plot: Path, progress: Progress | None = None) -> Demo:
    """Gather a generated region, run every stage and ask the first questions.

    Args:
        stores: An empty region.
        region: Folder that `generate_region` wrote.
        plot: PNG to write, where matplotlib is installed.
        progress: Told of every step.
    """
    from xinglin.flows.questions.sql import ask

    seconds = {}
    moment = time.perf_counter()
    spoken = gather(stores, region, progress)
    seconds["land"] = time.perf_counter() - moment
    moment = time.perf_counter()
    report = run(stores, progress=progress)
    seconds["link, build and check"] = time.perf_counter() - moment
    commonest = [(row[0], row[1], row[2]) for row in ask(stores, _COMMONEST).rows()]
    stroke = stroke_by_hypertension(stores)
    drawn = _draw(stroke, plot)
    linkage = linkage_quality(stores, region / "truth" / "persons.csv")
    images = Images(*next(ask(stores, _IMAGED).rows()))
    return Demo(report, spoken, images, linkage, commonest, stroke, seconds, drawn)


def stroke_by_hypertension(stores: Stores) -> list[dict[str, Any]]:
    """Incidence of first stroke per 1,000 person-years with and without hypertension, with exact Poisson limits.

    The 95 % limits are Garwood's (Biometrika 28, 1936), from quantiles of the chi-squared distribution in the
    approximation of Wilson and Hilferty (PNAS 17, 1931).
    """
    from xinglin.flows.questions.sql import ask

    answer = ask(stores, _STROKE)
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows()]
    for row in rows:
        low, high = _garwood(row["strokes"])
        row["per_1000_years"] = 1000 * row["strokes"] / row["person_years"] if row["person_years"] else 0.0
        row["low"], row["high"] = (
            1000 * limit / row["person_years"] if row["person_years"] else 0.0 for limit in (low, high)
        )
    return rows


def _garwood(events: int) -> tuple[float, float]:
    """95 % limits of a Poisson count.

    Example:
        >>> [round(limit, 1) for limit in _garwood(10)]
        [4.8, 18.4]
    """
    z = 1.959964
    low = events * (1 - 1 / (9 * events) - z / (3 * events**0.5)) ** 3 if events else 0.0
    more = events + 1
    return low, more * (1 - 1 / (9 * more) + z / (3 * more**0.5)) ** 3


def linkage_quality(stores: Stores, truth: Path) -> Linkage:
    """Pairwise precision and recall of the links against ``truth/persons.csv`` (person, site, local_id)."""
    from xinglin.identity import person_links

    columns, rows = person_links(stores.lake)
    found = {
        (row[columns.index("site")], row[columns.index("local_id")]): row[columns.index("person_id")] for row in rows
    }
    with truth.open(newline="", encoding="utf-8") as file:
        true = {(row["site"], row["local_id"]): row["person"] for row in csv.DictReader(file)}
    both = [(true[record], found[record]) for record in sorted(found) if record in true]
    inside: dict[Hashable, set[str]] = defaultdict(set)
    for person, one in both:
        inside[one].add(person)
    traps = truth.with_name("traps.csv")
    alike = set()
    if traps.exists():
        with traps.open(newline="", encoding="utf-8") as file:
            alike = {row["person"] for row in csv.DictReader(file)}
    true_pairs, found_pairs, right = (_pairs(groups) for groups in zip(*((p, f, (p, f)) for p, f in both), strict=True))
    return Linkage(
        records=len(found),
        persons_found=len(set(found.values())),
        persons_true=len({person for person, _ in both}),
        precision=right / found_pairs if found_pairs else 1.0,
        recall=right / true_pairs if true_pairs else 1.0,
        false_merges=sum(len(people) - 1 for people in inside.values()),
        trapped=sum(person in alike for person, _ in both),
    )


def _pairs(groups: Iterable[Hashable]) -> int:
    """Number of pairs within groups of equals.

    Example:
        >>> _pairs(["a", "a", "a", "b"])
        3
    """
    return sum(size * (size - 1) // 2 for size in Counter(groups).values())


def _draw(stroke: list[dict[str, Any]], plot: Path) -> Path | None:
    """Bars with their limits; None where matplotlib is not installed."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        return None
    figure = Figure(figsize=(5.6, 3.6), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    names = [f"{'with' if row['hypertension'] else 'without'} hypertension\n{row['strokes']} strokes" for row in stroke]
    rates = [row["per_1000_years"] for row in stroke]
    errors = [
        [row["per_1000_years"] - row["low"] for row in stroke],
        [row["high"] - row["per_1000_years"] for row in stroke],
    ]
    axes.bar(names, rates, yerr=errors, capsize=6, width=0.55, color=["#b5442e", "#6d8aa6"][: len(names)])
    axes.set_ylabel("first strokes per 1,000 person-years")
    axes.set_title("Stroke incidence by hypertension", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    figure.savefig(plot, metadata={"Software": None})
    return plot


def _steps(progress: Progress | None, stage: str) -> Any:
    return (lambda done, total: progress(stage, done, total)) if progress else None
