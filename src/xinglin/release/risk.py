"""Re-identification risk of an extract.

Records that share their quasi-identifiers form a class. k is the size of the smallest class (Sweeney 2002,
k-anonymity). Of a record in a class of size f in the extract and F in the population it was taken from:
prosecutor risk 1/f, when the adversary knows the person is in the extract; journalist risk 1/F, when not; both as the
worst and as the average over records (El Emam and Dankar 2008, "Protecting privacy using k-anonymity", JAMIA 15(5),
627-637). Marketer risk is the share of records that are expected to be matched to the population, the mean of 1/F
(Dankar and El Emam 2010, "A method for evaluating marketer re-identification risk"). Of the sensitive column, distinct
and entropy l-diversity (Machanavajjhala et al. 2007).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

__all__ = ["Knowledge", "RiskReport", "measure"]

_BUCKETS = ((1, 1), (2, 2), (3, 4), (5, 9), (10, 19), (20, 49), (50, 99), (100, None))


@dataclass(frozen=True)
class Knowledge:
    """Presumed knowledge of an adversary, and the sensitive column.

    Args:
        quasi: Quasi-identifiers of the extract.
        person: Column of the person's pseudonym; without it each row counts as a person.
        sensitive: Column whose l-diversity is measured.
        population: SELECT of the same quasi-identifiers for the whole region; None if unavailable.
        smallest: Required class size.
        moments: Quasi-identifiers that are dates.
        dates: Known precision of dates: ``day``, ``month`` or ``year``.
    """

    quasi: tuple[str, ...]
    person: str | None = None
    sensitive: str | None = None
    population: str | None = None
    smallest: int = 5
    moments: tuple[str, ...] = ()
    dates: str = "day"

    def value(self) -> str:
        """The quasi-identifiers of a row as one value, in SQL."""
        terms = [f"date_trunc('{self.dates}', \"{one}\")" if one in self.moments else f'"{one}"' for one in self.quasi]
        return "[" + ", ".join(f"coalesce({term}::VARCHAR, chr(0))" for term in terms) + "]::VARCHAR[]"


@dataclass(frozen=True)
class RiskReport:
    """Risk figures; shares and probabilities from 0 to 1.

    Args:
        persons: Number of persons, or of rows if there is no person column.
        quasi: The quasi-identifiers.
        classes: Number of classes.
        k: Size of the smallest class.
        uniques: Number of persons in classes of size 1.
        below: Number of persons in classes below the required size.
        sizes: Classes and persons by class size.
        prosecutor: Worst and average prosecutor risk.
        journalist: Worst and average journalist risk; equal to prosecutor risk if the population is unknown.
        marketer: Expected share of matched persons.
        sensitive: The sensitive column.
        l_distinct: Minimum number of distinct sensitive values in a class.
        l_entropy: Minimum exp(entropy) of the sensitive values of a class.
    """

    persons: int
    quasi: tuple[str, ...]
    classes: int
    k: int
    uniques: int
    below: int
    sizes: list[dict[str, Any]] = field(default_factory=list)
    prosecutor: dict[str, float] = field(default_factory=dict)
    journalist: dict[str, float] = field(default_factory=dict)
    marketer: float = 0.0
    sensitive: str | None = None
    l_distinct: int | None = None
    l_entropy: float | None = None


def measure(connection: duckdb.DuckDBPyConnection, table: str, known: Knowledge) -> RiskReport:
    """Measure the risk of a table.

    A person with several rows is identified by the set of their values.

    Args:
        connection: Connection with the table. Creates ``xinglin_member`` (person or row number, class) and
            ``xinglin_class`` (class, size).
        table: Name of the table, which has a column ``xinglin_row_number``.
        known: Presumed knowledge of an adversary.

    Example:
        >>> import duckdb
        >>> connection = duckdb.connect()
        >>> rows = "(VALUES (1, 'f'), (2, 'f'), (3, 'm')) AS made(xinglin_row_number, gender)"
        >>> _ = connection.execute(f"CREATE TABLE made AS FROM {rows}")
        >>> report = measure(connection, "made", Knowledge(("gender",)))
        >>> report.k, report.uniques, report.prosecutor["worst"], round(report.prosecutor["average"], 3)
        (1, 1, 1.0, 0.667)
    """
    tuple_sql = known.value()
    who = f'"{known.person}"' if known.person else "xinglin_row_number"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE xinglin_member AS SELECT {who} AS member, list(DISTINCT {tuple_sql} ORDER BY"
        f" {tuple_sql})::VARCHAR AS class FROM {table} GROUP BY 1"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE xinglin_class AS SELECT class, count(*) AS size FROM xinglin_member GROUP BY 1"
    )
    persons, classes, smallest, uniques, below = _row(
        connection,
        "SELECT coalesce(sum(size), 0)::BIGINT, count(*), coalesce(min(size), 0), count(*) FILTER (size = 1),"
        f" coalesce(sum(size) FILTER (size < {known.smallest}), 0)::BIGINT FROM xinglin_class",
    )
    worst, mean = _journalist(connection, known)
    distinct, entropy = _diversity(connection, table, who, known.sensitive)
    return RiskReport(
        persons=persons,
        quasi=known.quasi,
        classes=classes,
        k=smallest,
        uniques=uniques,
        below=below,
        sizes=_sizes(connection),
        prosecutor={"worst": 1 / smallest if smallest else 0.0, "average": classes / persons if persons else 0.0},
        journalist={"worst": worst, "average": mean},
        marketer=mean,
        sensitive=known.sensitive,
        l_distinct=distinct,
        l_entropy=entropy,
    )


def _row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    return connection.execute(sql).fetchall()[0]


def _journalist(connection: duckdb.DuckDBPyConnection, known: Knowledge) -> tuple[float, float]:
    """Worst and mean of 1/F over the extract's persons."""
    population = "SELECT class, size AS population FROM xinglin_class"
    if known.population:
        population = f"SELECT [{known.value()}]::VARCHAR AS class, count(*) AS population FROM ({known.population})"
        population += " GROUP BY 1"
    worst, mean = _row(
        connection,
        "SELECT max(1 / greatest(size, population)), sum(size / greatest(size, population)) / sum(size)"
        f" FROM xinglin_class LEFT JOIN ({population}) USING (class)",
    )
    return float(worst or 0.0), float(mean or 0.0)


def _sizes(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    rows = []
    for least, most in _BUCKETS:
        classes, persons = _row(
            connection,
            f"SELECT count(*), coalesce(sum(size), 0)::BIGINT FROM xinglin_class WHERE size >= {least}"
            + (f" AND size <= {most}" if most else ""),
        )
        size = str(least) if least == most else f"{least}-{most}" if most else f"{least} and more"
        rows.append({"size": size, "classes": classes, "persons": persons})
    return rows


def _diversity(
    connection: duckdb.DuckDBPyConnection, table: str, who: str, sensitive: str | None
) -> tuple[int | None, float | None]:
    """Minimum distinct and entropy l-diversity over all classes."""
    if sensitive is None:
        return None, None
    distinct, entropy = _row(
        connection,
        f"""WITH counts AS (
            SELECT class, "{sensitive}" AS value, count(DISTINCT member) AS persons
            FROM (SELECT DISTINCT {who} AS member, "{sensitive}" FROM {table}) JOIN xinglin_member USING (member)
            GROUP BY 1, 2
        ), summed AS (SELECT class, sum(persons) AS total FROM counts GROUP BY 1)
        SELECT min(l), min(entropy) FROM (
            SELECT class, count(*) AS l, -sum(persons / total * ln(persons / total)) AS entropy
            FROM counts JOIN summed USING (class) GROUP BY 1)""",
    )
    return (int(distinct), math.exp(entropy)) if distinct is not None else (None, None)
