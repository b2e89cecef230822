"""Mean length of stay by site: inpatient visits, in days, with the standard deviation.

    xinglin job run examples/jobs/length_of_stay.py --format csv

A mean cannot be made of means: the map gives count, sum and sum of squares, and the combine makes one mean of them.
"""

PARAMS = {"concepts": [9201, 262]}
TABLES = ["visit_occurrence", "lineage"]


def map(tables, params):
    """Count, sum and sum of squares of the days of every site's stays in this bucket (day of discharge counted)."""
    return tables.sql(
        """
        SELECT l.site, count(*) AS stays, sum(days)::BIGINT AS days, sum(days * days)::BIGINT AS squares
        FROM (
            SELECT visit_occurrence_id, date_diff('day', visit_start_date, visit_end_date) + 1 AS days
            FROM visit_occurrence WHERE list_contains($concepts::INTEGER[], visit_concept_id)
        ) AS v
        JOIN (
            SELECT row_id, min(site) AS site FROM lineage WHERE table_name = 'visit_occurrence' GROUP BY row_id
        ) AS l ON l.row_id = v.visit_occurrence_id
        GROUP BY l.site ORDER BY l.site
        """,
        concepts=params["concepts"],
    )


def combine(partials, params):
    """One row a site."""
    return """
        SELECT site, stays, round(days / stays, 3) AS mean_days,
            round(sqrt(greatest(0, squares / stays - (days / stays) ** 2)), 3) AS deviation
        FROM (
            SELECT site, sum(stays)::BIGINT AS stays, sum(days)::DOUBLE AS days, sum(squares)::DOUBLE AS squares
            FROM partials GROUP BY site
        )
        ORDER BY site
    """
