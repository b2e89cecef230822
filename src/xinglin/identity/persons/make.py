"""From scored pairs and decisions to persons with ids that stay."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xinglin.identity.evidence.contradictions import rule_sql
from xinglin.identity.evidence.facts import make_facts
from xinglin.identity.persons.clusters import Decided, Link, connected, decided_pairs, divide
from xinglin.identity.sql import sql_text

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["make_persons"]

_PLAUSIBLE = 100
_SURE = 20.0


def make_persons(connection: duckdb.DuckDBPyConnection, upper: float, *, households: bool) -> None:
    """Make the table ``person`` (patient_key, person_id, records).

    Args:
        connection: Holds ``comparable``, ``declared``, ``pair``, ``decision`` and ``founding`` (patient_key and the
            order in which records were first landed and linked).
        upper: Match probability from which a pair is linked.
        households: Whether rules that suppose households apply.
    """
    import numpy as np
    import pyarrow as pa

    founding = connection.execute(
        "SELECT patient_key, founding FROM founding SEMI JOIN comparable USING (patient_key) ORDER BY patient_key"
    ).fetchnumpy()
    keys = founding["patient_key"].astype(np.int64)
    links = connection.execute(
        "SELECT patient_key_l, patient_key_r, weight FROM pair"
        f" WHERE probability >= {upper} AND objection IS NULL ORDER BY ALL"
    ).fetchnumpy()
    left = np.searchsorted(keys, links["patient_key_l"])
    right = np.searchsorted(keys, links["patient_key_r"])
    decisions = _decisions(connection)
    group = _groups(keys, (left, right, links["weight"]), decisions)
    apart = _conflicts(connection, keys, group, upper, households=households)
    _divide_groups(keys, group, (left, right, links["weight"]), decisions, apart)
    keys, founded, group = _with_declared(connection, keys, founding["founding"], group)
    person = _founders(keys, founded, group)
    _, inverse, records = np.unique(person, return_inverse=True, return_counts=True)
    table = pa.table({"patient_key": keys, "person_id": person, "records": records[inverse]})
    connection.register("person_arrow", table)
    connection.execute("CREATE OR REPLACE TEMP TABLE person AS FROM person_arrow").fetchall()
    connection.unregister("person_arrow")


_Links = tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64]"]


def _with_declared(
    connection: duckdb.DuckDBPyConnection,
    keys: NDArray[np.int64],
    founding: NDArray[np.int64],
    group: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Keys, founding order and groups with the records that others stand for, each in the group of that other."""
    import numpy as np

    more = connection.execute(
        "SELECT patient_key, founding, representative FROM declared JOIN founding USING (patient_key) ORDER BY ALL"
    ).fetchnumpy()
    at = np.searchsorted(keys, more["representative"].astype(np.int64))
    return (
        np.concatenate([keys, more["patient_key"].astype(np.int64)]),
        np.concatenate([founding, more["founding"]]),
        np.concatenate([group, group[at]]),
    )


def _decisions(connection: duckdb.DuckDBPyConnection) -> list[Decided]:
    """The decisions that still hold and whose records are both there, newest first; a record that another stands for
    is named by that one."""
    rows = connection.execute(sql_text("persons/decided")).fetchall()
    return decided_pairs([Decided(left, right, action == "merge") for left, right, action in rows])


def _groups(keys: NDArray[np.int64], links: _Links, decisions: Sequence[Decided]) -> NDArray[np.int64]:
    """The group of every record: the smallest position among those it is joined with.

    A group of more records than a person can plausibly have comes from something shared; only its surest links count,
    and where those make it no smaller, none.
    """
    import numpy as np

    left, right, weight = links
    merged = [decision for decision in decisions if decision.together]
    more_left = np.searchsorted(keys, np.array([decision.left for decision in merged], dtype=np.int64))
    more_right = np.searchsorted(keys, np.array([decision.right for decision in merged], dtype=np.int64))
    counted = np.ones(len(left), dtype=bool)
    group = np.arange(len(keys), dtype=np.int64)
    for least in (_SURE, math.inf, None):
        ends = (np.concatenate([left[counted], more_left]), np.concatenate([right[counted], more_right]))
        group = connected(len(keys), *ends)
        large = np.bincount(group, minlength=len(keys)) > _PLAUSIBLE
        if least is None or not large.any():
            break
        counted &= ~(large[group[left]] & (weight < least))
    return group


def _divide_groups(
    keys: NDArray[np.int64],
    group: NDArray[np.int64],
    links: _Links,
    decisions: Sequence[Decided],
    apart: list[tuple[int, int]],
) -> None:
    """Divide, in place, the groups that hold records which cannot be one person's."""
    import numpy as np

    touched = {int(group[np.searchsorted(keys, left)]) for left, _ in apart}
    decided: defaultdict[int, list[Decided]] = defaultdict(list)
    for decision in decisions:
        a, b = (int(group[np.searchsorted(keys, key)]) for key in (decision.left, decision.right))
        if a == b:
            decided[a].append(decision)
            touched.add(a)
    if not touched:
        return
    chosen = np.isin(group, np.array(sorted(touched)))
    members: defaultdict[int, list[int]] = defaultdict(list)
    for position in np.flatnonzero(chosen).tolist():
        members[int(group[position])].append(int(keys[position]))
    inside: defaultdict[int, list[Link]] = defaultdict(list)
    for at in np.flatnonzero(chosen[links[0]] & (group[links[0]] == group[links[1]])).tolist():
        a, b = int(links[0][at]), int(links[1][at])
        inside[int(group[a])].append(Link(int(keys[a]), int(keys[b]), float(links[2][at])))
    forbidden: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for left, right in apart:
        forbidden[int(group[np.searchsorted(keys, left)])].append((left, right))
    for name in sorted(members):
        for key, part in divide(members[name], inside[name], forbidden[name], decided[name]).items():
            group[np.searchsorted(keys, key)] = np.searchsorted(keys, part)


def _conflicts(
    connection: duckdb.DuckDBPyConnection,
    keys: NDArray[np.int64],
    group: NDArray[np.int64],
    upper: float,
    *,
    households: bool,
) -> list[tuple[int, int]]:
    """Pairs inside groups of three and more that cannot be one person's; the pairs of two were asked when scored."""
    import numpy as np
    import pyarrow as pa

    sizes = np.bincount(group, minlength=len(keys))
    several = np.flatnonzero(sizes[group] > 2)
    if not len(several):
        return []
    connection.register("several", pa.table({"patient_key": keys[several], "grp": group[several]}))
    connection.execute("CREATE OR REPLACE TEMP TABLE grouped AS FROM several").fetchall()
    connection.unregister("several")
    make_facts(
        connection,
        "(SELECT l.patient_key AS patient_key_l, r.patient_key AS patient_key_r FROM grouped AS l"
        " JOIN grouped AS r ON l.grp = r.grp AND l.patient_key < r.patient_key)",
        "grouped_fact",
    )
    rules = {effect: rule_sql(effect, households=households, parts=True) for effect in ("veto", "doubt")}
    select = sql_text("persons/conflicts", upper=str(upper), **rules)
    return [(left, right) for left, right in connection.execute(select).fetchall()]


def _founders(keys: NDArray[np.int64], founding: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.int64]:
    """The person id of every record: the key of the record of its group that was first there, then smallest."""
    import numpy as np

    order = np.lexsort((keys, founding))
    place = np.empty(len(keys), dtype=np.int64)
    place[order] = np.arange(len(keys))
    first = np.full(len(keys), len(keys), dtype=np.int64)
    np.minimum.at(first, group, place)
    return keys[order[first[group]]]
