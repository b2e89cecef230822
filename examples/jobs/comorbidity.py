"""Comorbidity matrix: how many persons have both of two diagnoses, and how much more often than by chance.

    xinglin job run examples/jobs/comorbidity.py --param least=5

All of a person's diagnoses lie in one bucket, so counting pairs per bucket and adding up is exact. Both steps are SQL.
"""

PARAMS = {"least": 5, "longest": 50}
TABLES = ["condition_occurrence", "person"]


def map(tables, params):
    """Persons of this bucket by pair of codes; a code with itself counts its persons, no code counts everybody."""
    return """
        WITH has AS (
            SELECT DISTINCT person_id, condition_source_value AS code
            FROM condition_occurrence WHERE condition_source_value <> ''
        )
        SELECT a.code AS first, b.code AS second, count(*) AS persons
        FROM has AS a JOIN has AS b ON a.person_id = b.person_id AND a.code <= b.code
        GROUP BY ALL
        UNION ALL SELECT '', '', count(*) FROM person
        ORDER BY ALL
    """


def combine(partials, params):
    """Pairs of at least `least` persons. lift = P(both) / (P(first) P(second)); above 1 they keep company."""
    return partials.sql(
        """
        WITH total AS (SELECT first, second, sum(persons)::BIGINT AS persons FROM partials GROUP BY ALL),
        alone AS (SELECT first AS code, persons FROM total WHERE first = second AND first <> ''),
        everybody AS (SELECT persons FROM total WHERE first = '')
        SELECT t.first, t.second, t.persons, round(t.persons * e.persons / (a.persons * b.persons), 3) AS lift
        FROM total AS t JOIN alone AS a ON a.code = t.first JOIN alone AS b ON b.code = t.second, everybody AS e
        WHERE t.first < t.second AND t.persons >= $least
        ORDER BY t.persons DESC, lift DESC, t.first, t.second LIMIT $longest
        """,
        least=params["least"],
        longest=params["longest"],
    )
