"""The tables that a row is compared with, one row per key, as SQL.

Each is made once per run as a temporary table; the SELECT that shows failing rows has it written out, so that it runs
anywhere the mart's tables are.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["JOINS", "failing_rows", "joined"]

_BIRTH = (
    "coalesce(birth_datetime::DATE, try_cast(printf('%04d-%02d-%02d', year_of_birth, "
    "coalesce(month_of_birth, 1), coalesce(day_of_birth, 1)) AS DATE))"
)

JOINS: dict[str, tuple[str, str]] = {
    "person": (
        f"SELECT person_id, min({_BIRTH}) AS birth, min(gender_concept_id) AS gender FROM person GROUP BY person_id",
        "person.person_id = t.person_id",
    ),
    "death": (
        "SELECT person_id, min(death_date) AS died FROM death GROUP BY person_id",
        "death.person_id = t.person_id",
    ),
    "period": (
        "SELECT person_id, min(observation_period_start_date) AS first_day, "
        "max(observation_period_end_date) AS last_day FROM observation_period GROUP BY person_id",
        "period.person_id = t.person_id",
    ),
    "visit": (
        "SELECT visit_occurrence_id, min(person_id) AS person_id, min(visit_start_date) AS first_day, "
        "max(visit_end_date) AS last_day FROM visit_occurrence GROUP BY visit_occurrence_id",
        "visit.visit_occurrence_id = t.visit_occurrence_id",
    ),
    "preceding": (
        "SELECT DISTINCT visit_occurrence_id FROM visit_occurrence",
        "preceding.visit_occurrence_id = t.preceding_visit_occurrence_id",
    ),
    "charged": (
        "SELECT DISTINCT visit_occurrence_id FROM visit_occurrence",
        "charged.visit_occurrence_id = t.cost_event_id",
    ),
    "visit_detail": (
        "SELECT DISTINCT visit_detail_id FROM visit_detail",
        "visit_detail.visit_detail_id = t.visit_detail_id",
    ),
    "preceding_detail": (
        "SELECT DISTINCT visit_detail_id FROM visit_detail",
        "preceding_detail.visit_detail_id = t.preceding_visit_detail_id",
    ),
    "parent_detail": (
        "SELECT DISTINCT visit_detail_id FROM visit_detail",
        "parent_detail.visit_detail_id = t.parent_visit_detail_id",
    ),
    "provider": (
        "SELECT DISTINCT provider_id FROM provider",
        "provider.provider_id = t.provider_id",
    ),
    "care_site": (
        "SELECT DISTINCT care_site_id FROM care_site",
        "care_site.care_site_id = t.care_site_id",
    ),
    "procedure": (
        "SELECT DISTINCT procedure_occurrence_id FROM procedure_occurrence",
        "procedure.procedure_occurrence_id = t.procedure_occurrence_id",
    ),
    "image": (
        "SELECT DISTINCT image_occurrence_id FROM image_occurrence",
        "image.image_occurrence_id = t.image_occurrence_id",
    ),
    "location": (
        "SELECT DISTINCT location_id FROM location",
        "location.location_id = t.location_id",
    ),
}
"""Alias: (SELECT that makes it, condition that joins it to ``t``)."""


def joined(names: Iterable[str], *, prepared: bool) -> str:
    """The LEFT JOINs of a FROM clause.

    Args:
        names: Keys of `JOINS`.
        prepared: Whether to use the run's temporary tables ``_<name>``.

    Example:
        >>> joined(["provider"], prepared=True)
        ' LEFT JOIN _provider AS provider ON provider.provider_id = t.provider_id'
    """
    return "".join(
        f" LEFT JOIN {f'_{name}' if prepared else f'({JOINS[name][0]})'} AS {name} ON {JOINS[name][1]}"
        for name in names
    )


def failing_rows(table: str, joins: Iterable[str], applies: str, violation: str) -> str:
    """A SELECT of the failing rows over the public tables.

    Example:
        >>> failing_rows("note", [], "true", "t.note_date IS NULL")
        'SELECT t.* FROM note AS t WHERE t.note_date IS NULL'
    """
    condition = violation if applies == "true" else f"{applies} AND ({violation})"
    return f"SELECT t.* FROM {table} AS t{joined(joins, prepared=False)} WHERE {condition}"
