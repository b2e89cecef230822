"""A permit: the stages that one access decision lets its holder read and write. The lake and the landing check it.

A permit is a value without a secret. It results from a decision (`xinglin.access`) and is pickled with the lake, so
every task and executor has the same permit. It limits commands and tasks to what was decided and logged. It does not
protect against code that runs as the owner of the files, since such code can read the files directly.
"""

from __future__ import annotations

from dataclasses import dataclass

from xinglin.core.errors import AccessDenied

__all__ = ["CLOSED", "EVERY", "OPEN", "Permit"]

EVERY = "*"
"""A stage name that stands for all stages."""


@dataclass(frozen=True)
class Permit:
    """The stages that may be read and written, and the decision that permits it.

    Args:
        reads: Names of stages: ``landing``, ``identity``, ``mart``, …; `EVERY` means all.
        writes: Names of stages; a stage that may be written may be read.
        decision: Identifier of the decision, as the audit log has it.
        without: Persons who are excluded from reads of the population.
        gives: Data classes of the person's record that may be read; empty where the request is not for one person.

    Example:
        >>> permit = Permit(frozenset({"mart"}), frozenset(), "d-17")
        >>> permit.require("mart")
        >>> permit.require("landing")
        Traceback (most recent call last):
        xinglin.core.errors.AccessDenied: no permission to read the stage landing (decision d-17). ...
    """

    reads: frozenset[str]
    writes: frozenset[str]
    decision: str
    without: frozenset[int] = frozenset()
    gives: frozenset[str] = frozenset()

    def allows(self, stage: str, write: bool = False) -> bool:
        """Whether the stage may be read or written.

        Args:
            stage: The stage's name.
            write: Check for writing instead of reading.
        """
        if stage in self.writes or EVERY in self.writes:
            return True
        return not write and (stage in self.reads or EVERY in self.reads)

    def require(self, stage: str, write: bool = False) -> None:
        """Raise an error unless the stage may be read or written.

        Args:
            stage: The stage's name.
            write: Check for writing instead of reading.

        Raises:
            AccessDenied: The decision does not permit it.
        """
        if not self.allows(stage, write):
            raise AccessDenied(
                f"no permission to {'write' if write else 'read'} the stage {stage}",
                source=f"decision {self.decision}" if self.decision else "no decision",
                remedy="open the region with a command, or name the stage in the command's intent",
            )


CLOSED = Permit(frozenset(), frozenset(), "")
"""Permits nothing: the default of a lake or landing that was opened without a decision."""
OPEN = Permit(frozenset({EVERY}), frozenset({EVERY}), "open")
"""Permits everything; for tests of stages without access control."""
