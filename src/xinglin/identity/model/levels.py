"""The linkage model: what is compared, in which levels, and what is believed before any data is seen.

Fellegi and Sunter (1969): every comparison falls into one level; m is the level's probability among records of
one person, u among records of two. The levels are written once, here, as Splink 5 settings. Latin names are
compared by Jaro-Winkler similarity; names of one to three characters, as Chinese names are, by one character.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["BLOCKING", "COMPARISONS", "Comparison", "Level", "block_condition", "model_settings", "prior_model"]

_RARE = 1e-6


@dataclass(frozen=True)
class Level:
    """One level of a comparison.

    Args:
        label: What the reader of a model sees.
        condition: DuckDB SQL over ``<column>_l`` and ``<column>_r``.
        m: Prior probability among records of one person.
        u: Prior probability among records of two persons.
        term_frequency: Column whose rare values weigh more when they agree.
        columns: Columns that are equal in this level and the stricter ones named before it; their agreement is counted
            over all pairs, not estimated from random ones.
        shared: Whether the members of one household fall into it.
    """

    label: str
    condition: str
    m: float
    u: float
    term_frequency: str = ""
    columns: tuple[str, ...] = ()
    shared: bool = False


@dataclass(frozen=True)
class Comparison:
    """One comparison: levels from the strictest to ELSE.

    Args:
        name: Its name in the model and in ``gamma_<name>``.
        null: Condition under which it says nothing.
        levels: In the order they are tried.
    """

    name: str
    null: str
    levels: tuple[Level, ...]


def _missing(column: str) -> str:
    return f"{column}_l IS NULL OR {column}_r IS NULL"


def _equal(column: str) -> str:
    return f"{column}_l = {column}_r"


def _distance(column: str, most: int) -> str:
    """At most so many characters wrong, missing, added or exchanged with their neighbour.

    An exchange is two edits to Levenshtein, whose distance costs a tenth of Damerau's; so it goes first.
    """
    left, right = f"{column}_l", f"{column}_r"
    return (
        f"CASE WHEN levenshtein({left}, {right}) <= {2 * most}"
        f" THEN damerau_levenshtein({left}, {right}) <= {most} ELSE false END"
    )


_SWAPPED = (
    "jaro_winkler_similarity(given_name_l, family_name_r) >= 0.9"
    " AND jaro_winkler_similarity(family_name_l, given_name_r) >= 0.9"
)
_SHORT = "length({0}_l) <= 3 AND length({0}_r) <= 3"


def _similar(column: str, least: float) -> str:
    """Similar Latin spellings; a short name gets no credit for what is mostly its length."""
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= {least} AND NOT ({_SHORT.format(column)})"


def _short(column: str) -> str:
    """One of two or three characters differs (DuckDB's edit distances count bytes, its Jaro-Winkler characters)."""
    return f"{_SHORT.format(column)} AND jaro_winkler_similarity({column}_l, {column}_r) >= 0.66"


_DAY_MONTH = (
    "left(birth_date_l, 4) = left(birth_date_r, 4)"
    " AND substr(birth_date_l, 6, 2) = right(birth_date_r, 2) AND right(birth_date_l, 2) = substr(birth_date_r, 6, 2)"
)
# Two numbers whose check characters both hold were both written right, so they belong to two persons.
_NOT_PROVED_APART = "NOT (id_proved_l AND id_proved_r)"
_ONE_PART = (
    "left(birth_date_l, 4) = left(birth_date_r, 4)"
    " AND (substr(birth_date_l, 6, 2) = substr(birth_date_r, 6, 2) OR right(birth_date_l, 2) = right(birth_date_r, 2))"
)
# Characters and letters of one name cannot be compared.
_TWO_SCRIPTS = "script_l != script_r"
_ONE_HOUSEHOLD = "coalesce(phone_l = phone_r, false) OR coalesce(address_l = address_r, false)"
_NO_HOME = " AND ".join(f"({_missing(column)})" for column in ("phone", "address", "postal_code", "city"))
_ALIKE_ADDRESS = "jaro_winkler_similarity(address_l, address_r) >= 0.92 OR jaccard(address_l, address_r) >= 0.85"

COMPARISONS = (
    Comparison(
        "given_name",
        f"{_missing('given_name')} OR {_TWO_SCRIPTS}",
        (
            Level("the same", _equal("given_name"), 0.80, 0.005, "given_name", ("given_name",)),
            Level("given and family name swapped", _SWAPPED, 0.03, 0.00002),
            Level("much alike", _similar("given_name", 0.9), 0.09, 0.003),
            Level("one character of a short name", _short("given_name"), 0.01, 0.004),
            Level("alike", _similar("given_name", 0.8), 0.03, 0.01),
            Level("different", "ELSE", 0.04, 0.978),
        ),
    ),
    Comparison(
        "family_name",
        # Swapped names count once, with the given name; and a household's name counts once, with the household.
        f"{_missing('family_name')} OR {_TWO_SCRIPTS} OR ({_SWAPPED})"
        f" OR (family_name_l = family_name_r AND ({_ONE_HOUSEHOLD}))",
        (
            Level("the same", _equal("family_name"), 0.84, 0.005, "family_name", ("family_name",)),
            Level("much alike", _similar("family_name", 0.9), 0.08, 0.003),
            Level("alike", _similar("family_name", 0.8), 0.02, 0.01),
            Level("different", "ELSE", 0.06, 0.982),
        ),
    ),
    Comparison(
        "birth_date",
        _missing("birth_date"),
        (
            Level("the same", _equal("birth_date"), 0.90, 0.0001, columns=("birth_date",)),
            Level("day and month swapped", _DAY_MONTH, 0.01, 0.00003),
            Level("one character", _distance("birth_date", 1), 0.05, 0.001),
            Level("the day or the month", _ONE_PART, 0.02, 0.0015),
            Level("different", "ELSE", 0.02, 0.9974),
        ),
    ),
    Comparison(
        "gender",
        _missing("gender"),
        (Level("the same", _equal("gender"), 0.98, 0.5), Level("different", "ELSE", 0.02, 0.5)),
    ),
    Comparison(
        "national_id",
        _missing("national_id"),
        (
            Level("the same", _equal("national_id"), 0.90, _RARE, columns=("national_id",)),
            Level("one character", f"{_NOT_PROVED_APART} AND {_distance('national_id', 1)}", 0.07, 0.00001),
            Level("two characters", f"{_NOT_PROVED_APART} AND {_distance('national_id', 2)}", 0.01, 0.0001),
            Level("different", "ELSE", 0.02, 0.9998),
        ),
    ),
    Comparison(
        "card",
        f"({_missing('card_1')}) AND ({_missing('card_2')})",
        (
            Level("the same", f"{_equal('card_1')} OR {_equal('card_2')}", 0.90, _RARE),
            Level("one character", f"{_distance('card_1', 1)} OR {_distance('card_2', 1)}", 0.05, 0.00001),
            Level("different", "ELSE", 0.05, 0.99998),
        ),
    ),
    Comparison(
        "email",
        _missing("email"),
        (
            Level("the same", _equal("email"), 0.75, 0.00002, columns=("email",)),
            Level("the same mailbox", _equal("mailbox"), 0.05, 0.00005),
            Level("much alike", "jaro_winkler_similarity(mailbox_l, mailbox_r) >= 0.88", 0.10, 0.002),
            Level("different", "ELSE", 0.10, 0.9979),
        ),
    ),
    Comparison(
        "household",
        _NO_HOME,
        (
            Level(
                "phone and address",
                f"{_equal('phone')} AND {_equal('address')}",
                0.40,
                _RARE,
                "",
                ("phone", "address"),
                True,
            ),
            Level("phone", _equal("phone"), 0.20, 0.00002, "", ("phone",), True),
            Level("address", _equal("address"), 0.15, 0.00005, "", ("address",), True),
            Level("phone but for one digit", _distance("phone", 1), 0.03, 0.00005, shared=True),
            Level("address much alike", _ALIKE_ADDRESS, 0.10, 0.0005, shared=True),
            Level("postal code and city", f"{_equal('postal_code')} AND {_equal('city')}", 0.05, 0.002),
            Level("postal code or city", f"{_equal('postal_code')} OR {_equal('city')}", 0.03, 0.02),
            Level("different", "ELSE", 0.04, 0.97738),
        ),
    ),
)

BLOCKING: tuple[tuple[str, ...], ...] = (
    ("national_id",),
    ("card_1",),
    ("card_2",),
    ("email",),
    ("phone", "birth_year"),
    ("phone", "given_name"),
    ("birth_date", "family_name"),
    ("birth_date", "given_name"),
    ("birth_date", "postal_code"),
    ("name_pair", "birth_year"),
    ("name_pair", "postal_code"),
    ("rare_name",),
    ("address", "given_name"),
    ("address", "birth_year"),
    ("birth_date", "home_word"),
)
_CROSSED = (
    "l.birth_date = r.birth_date AND l.given_name = r.family_name",
    "l.birth_date = r.birth_date AND l.family_name = r.given_name",
)
"""Given and family name in each other's place, though another was changed."""


def model_settings(comparisons: list[dict[str, Any]], probability: float) -> dict[str, Any]:
    """Splink settings around comparisons (as `prior_model` or training gives them).

    Args:
        comparisons: Splink comparison dictionaries.
        probability: Probability that two records taken at random are one person's.
    """
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "patient_key",
        "probability_two_random_records_match": probability,
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": rule} for rule in (*map(block_condition, BLOCKING), *_CROSSED)
        ],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "additional_columns_to_retain": [],
        "linker_uid": "xinglin",
    }


def block_condition(columns: tuple[str, ...]) -> str:
    """The blocking rule that pairs records equal in all the columns.

    Example:
        >>> block_condition(("phone", "given_name"))
        'l.phone = r.phone AND l.given_name = r.given_name'
    """
    return " AND ".join(f"l.{column} = r.{column}" for column in columns)


def prior_model() -> list[dict[str, Any]]:
    """The comparisons with the probabilities believed before any data is seen.

    Example:
        >>> [comparison["output_column_name"] for comparison in prior_model()][:2]
        ['given_name', 'family_name']
    """
    return [_as_splink(comparison) for comparison in COMPARISONS]


def _as_splink(comparison: Comparison) -> dict[str, Any]:
    levels: list[dict[str, Any]] = [
        {"sql_condition": comparison.null, "is_null_level": True, "label_for_charts": "missing"}
    ]
    for level in comparison.levels:
        entry: dict[str, Any] = {
            "sql_condition": level.condition,
            "label_for_charts": level.label,
            "m_probability": level.m,
            "u_probability": level.u,
        }
        if level.term_frequency:
            entry["tf_adjustment_column"] = level.term_frequency
            entry["tf_minimum_u_value"] = 0.00001
        levels.append(entry)
    return {"output_column_name": comparison.name, "comparison_levels": levels}
