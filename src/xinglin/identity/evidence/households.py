"""Whether the region's data show households: people who share an address and are surely not one person.

Where they do, as in every real region, a pair with one birth date and address but another given name may be twins, and
one of one name and address but another birth date may be father and son. Where nobody shares an address with anybody
else, yet values were replaced in many records of what is surely one person each, such pairs are spoilt records.
Twins come with brothers, sisters and parents, so the second is told from the first by counting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xinglin.identity.sql import sql_text

if TYPE_CHECKING:
    import duckdb

__all__ = ["Households", "count_households"]

_ENOUGH = 100
_CHANGED = 20
_MORE_THAN_TWINS = 0.04
_FEWER_THAN_TWINS_ALONE = 0.25
_FAMILIES = 5


@dataclass(frozen=True)
class Households:
    """Pairs of records at one address, by what else they share.

    Args:
        sure: Same birth date and given name.
        changed: Same birth date, another given name: twins, or a value replaced.
        families: Other birth dates and given names: surely two persons.

    Example:
        >>> Households(sure=300, changed=30, families=2).present
        False
        >>> Households(sure=300, changed=3, families=0).present
        True
    """

    sure: int
    changed: int
    families: int

    @property
    def present(self) -> bool:
        """Whether households have to be reckoned with; so it is unless the counts clearly deny it."""
        return not (
            self.sure >= _ENOUGH
            and self.changed >= _CHANGED
            and _MORE_THAN_TWINS * self.sure <= self.changed <= _FEWER_THAN_TWINS_ALONE * self.sure
            and _FAMILIES * self.families <= self.changed
        )


def count_households(connection: duckdb.DuckDBPyConnection) -> Households:
    """Count the pairs of ``comparable``."""
    return Households(*connection.execute(sql_text("evidence/households")).fetchall()[0])
