"""What forbids that two records become one person unasked, whatever the sum of the weights says.

Every rule is a condition over the facts of a pair (``sql/evidence/facts.sql``). A veto leaves the pair out; a doubt
sends it to the review queue. Rules marked `soft` suppose that the members of households are in the data; where the
region shows that nobody shares a household (`evidence.households`), the weights decide instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["RULES", "Rule", "rule_sql"]


@dataclass(frozen=True)
class Rule:
    """One contradiction.

    Args:
        name: Its name in `identity.pair.objection` and in explanations.
        effect: ``veto`` (two persons) or ``doubt`` (ask a person).
        condition: SQL over the facts of a pair.
        words: What `xinglin identity why` says.
        soft: Whether it supposes households in the data.
        parts: Whether it also keeps two records of a larger group apart; not so for a mere lack of evidence.
    """

    name: str
    effect: Literal["veto", "doubt"]
    condition: str
    words: str
    soft: bool = False
    parts: bool = True


RULES = (
    Rule(
        "unnamed", "veto", "unnamed AND NOT number_same",
        "a record without a real name is never linked by description", parts=False,
    ),
    Rule(
        "names-only", "veto", "NOT (number_same OR date_same OR date_slip OR date_apart OR contact_same)",
        "nothing but names agrees: no birth date, number, phone, address or e-mail", parts=False,
    ),
    Rule(
        "two-national-numbers", "veto", "numbers_proved_apart",
        "two national numbers, and the check digits of both hold",
    ),

    Rule(
        "number-and-given-name", "veto", "number_differs AND given_different AND NOT number_same",
        "person-wide numbers and given names both differ",
    ),
    Rule("generation", "veto", "generation_differs", "the suffixes differ (Sr, Jr, III): two generations of one name"),
    Rule(
        "birth-order", "veto", "birth_order_differs AND NOT date_apart AND NOT number_same",
        "two children of one birth: the birth orders differ",
    ),
    Rule(
        "newborns", "veto", "newborns AND own_numbers_differ",
        "two newborns without a given name, with two record numbers of one institution",
    ),
    Rule(
        "given-name-and-birth-date", "veto", "given_different AND date_apart AND NOT number_same",
        "given names and birth dates both differ by more than a slip",
    ),
    Rule(
        "sex-and-birth-date", "veto", "sex_differs AND NOT date_same AND NOT number_same",
        "sex and birth date both differ",
    ),
    Rule(
        "sex-and-given-name", "veto", "sex_differs AND NOT given_same AND NOT swapped AND NOT number_same",
        "sex differs, and the given name does not agree",
    ),
    Rule(
        "birth-dates", "veto", "date_apart AND NOT number_same",
        "the birth dates differ by more than a slip: two persons of one name", soft=True,
    ),
    Rule(
        "birth-dates-of-one-number", "doubt", "date_apart", "one number, but birth dates that are no slip", soft=True
    ),
    Rule(
        "decades", "doubt", "date_decades AND NOT number_same",
        "day and month of birth agree, the years are ten or more apart", soft=True,
    ),
    Rule(
        "sex", "doubt", "sex_differs AND (NOT date_same OR NOT (given_same OR swapped))", "one number, but sex differs"
    ),
    Rule(
        "generation-of-one", "doubt", "generation_of_one AND NOT date_same AND NOT number_same",
        "only one record has a suffix (Sr, Jr, III), and the birth dates do not settle it",
    ),
    Rule(
        "given-name", "doubt", "given_different",
        "the given names differ: brothers, sisters or twins share the rest", soft=True,
    ),
    Rule(
        "given-name-alike", "doubt", "given_near AND NOT given_slip AND NOT date_slip AND NOT number_same",
        "the given names are alike but not the same, as those of twins may be", soft=True,
    ),
    Rule(
        "given-name-unknown", "doubt", "given_unknown AND NOT number_same",
        "one record has no given name", soft=True,
    ),
    Rule(
        "record-numbers", "doubt", "own_numbers_differ AND NOT number_same",
        "one institution gave the two records different record numbers", soft=True,
    ),
    Rule(
        "numbers", "doubt", "number_differs AND NOT number_same",
        "person-wide numbers differ by more than two characters", soft=True,
    ),
)  # fmt: skip
"""All rules, the first that holds names the contradiction; vetoes come before doubts."""


def rule_sql(effect: str, *, households: bool, parts: bool = False) -> str:
    """SQL that names the first rule of an effect that holds for a row of facts; NULL where none does.

    Args:
        effect: ``veto`` or ``doubt``.
        households: Whether households are in the data, so that soft rules apply.
        parts: Only the rules that keep records of a larger group apart.

    Example:
        >>> rule_sql("veto", households=False)[:60]
        "CASE WHEN unnamed AND NOT number_same THEN 'unnamed' WHEN NO"
    """
    whens = " ".join(
        f"WHEN {rule.condition} THEN '{rule.name}'"
        for rule in RULES
        if rule.effect == effect and (households or not rule.soft) and (rule.parts or not parts)
    )
    return f"CASE {whens} END"
