"""What one decision allows its holder to read and write: the lake and the landing zone ask for it at every door.

A permit is a value without a secret. It is made by a decision (`xinglin.access`), goes with the pickled lake to every
task and executor, and says there what it said here. Whoever can run code as the owner of the files can read the files
without it; it keeps every command and every task to what was decided and written down, nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass

from xinglin.core.errors import AccessDenied

__all__ = ["CLOSED", "EVERY", "OPEN", "Permit"]

EVERY = "*"
"""A stage name that stands for all stages."""


@dataclass(frozen=True)
class Permit:
    """The stages that may be read and written, and the decision that says so.

    Args:
        reads: Names of stages: ``landing``, ``identity``, ``mart``, …; `EVERY` means all.
        writes: Likewise; what may be written may be read.
        decision: Identifier of the decision, as the audit log has it.
        without: Persons who are left out of whatever is read of a population.
        gives: Data classes of one person's record that may be given; empty where no one person was asked for.

    Example:
        >>> permit = Permit(frozenset({"mart"}), frozenset(), "d-17")
        >>> permit.require("mart")
        >>> permit.require("landing")
        Traceback (most recent call last):
        xinglin.core.errors.AccessDenied: nobody decided that landing may be read here (decision d-17). ...
    """

    reads: frozenset[str]
    writes: frozenset[str]
    decision: str
    without: frozenset[int] = frozenset()
    gives: frozenset[str] = frozenset()

    def allows(self, stage: str, write: bool = False) -> bool:
        """Whether the stage may be read, or written.

        Args:
            stage: The stage's name.
            write: Whether it is to be written.
        """
        if stage in self.writes or EVERY in self.writes:
            return True
        return not write and (stage in self.reads or EVERY in self.reads)

    def require(self, stage: str, write: bool = False) -> None:
        """Pass, or refuse.

        Args:
            stage: The stage's name.
            write: Whether it is to be written.

        Raises:
            AccessDenied: The decision does not name the stage.
        """
        if not self.allows(stage, write):
            raise AccessDenied(
                f"nobody decided that {stage} may be {'written' if write else 'read'} here",
                source=f"decision {self.decision}" if self.decision else "no decision",
                remedy="open the region by a command, or name the stage in its intent",
            )


CLOSED = Permit(frozenset(), frozenset(), "")
"""Allows nothing: what a lake or a landing zone has that nobody decided about."""
OPEN = Permit(frozenset({EVERY}), frozenset({EVERY}), "open")
"""Allows everything: for tests of what lies behind the doors."""
