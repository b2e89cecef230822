"""A decision whose work goes on for hours or weeks: it is asked for again, and ends the work where it is refused."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from xinglin.core.errors import AccessDenied, Conflict

if TYPE_CHECKING:
    from xinglin.admission.stores import Progress, Stores

__all__ = ["Standing"]

_AGAIN = 60.0


class Standing:
    """One decision, for as long as its work goes on; threads may share it.

    It is decided anew, and written down, at every stage (`anew`), and between stages after each change of the list of
    issuers and of a consent, and every minute (`current`). So a revocation counts within the time in which it is
    looked at, a credential that expires within a minute. Once refused it stays refused.

    Args:
        stores: The region as it was decided first.
        again: Has it decided anew.
        now: Seconds that only go forward.
    """

    def __init__(self, stores: Stores, again: Callable[[], Stores], now: Callable[[], float] = time.monotonic) -> None:
        from xinglin.access.consent.store import ConsentStore

        folder = stores.settings.access_folder
        self._first, self._stores = stores, stores
        self._again, self._now = again, now
        self._consents = ConsentStore(folder)
        self._issuers = folder / "issuers.json"
        self._mutex = threading.RLock()
        self._seen, self._due = self._marks(), now() + _AGAIN
        self._refused: AccessDenied | None = None

    @property
    def due(self) -> bool:
        """Whether `current` would decide anew; this costs a few microseconds."""
        return self._refused is not None or self._now() >= self._due or self._marks() != self._seen

    def current(self) -> Stores:
        """The region as it is decided now.

        Raises:
            AccessDenied: It is not permitted any more; the refusal is in the audit log.
        """
        with self._mutex:
            return self.anew() if self.due else self._stores

    def anew(self) -> Stores:
        """The region as it is decided at this moment.

        Raises:
            AccessDenied: It is not permitted any more; the refusal is in the audit log.
        """
        with self._mutex:
            if self._refused is not None:
                raise self._refused
            # Looked at before it is decided: a change in between is then seen the next time.
            seen = self._marks()
            try:
                self._stores = self._again()
            except AccessDenied as refused:
                self._refused = refused
                raise
            self._seen, self._due = seen, self._now() + _AGAIN
            return self._stores

    def progress(self, told: Progress | None) -> Progress:
        """Progress that looks at the decision with every step, and ends the work there where it does not hold.

        Args:
            told: Whom to tell of the step.
        """

        def step(stage: str, done: int, whole: int) -> None:
            self._go_on(self.current())
            if told is not None:
                told(stage, done, whole)

        return step

    def finish(self) -> None:
        """Decide anew before a result is given.

        Raises:
            AccessDenied: It is not permitted any more.
            Conflict: Somebody whose records are in the result must not be.
        """
        self._go_on(self.anew())

    def _go_on(self, stores: Stores) -> None:
        """What was begun with a person who has denied it since ends without a result."""
        if stores is not self._first and not stores.lake.permit.without <= self._first.lake.permit.without:
            raise Conflict(
                "somebody denied this while it ran, and what was read so far is not given",
                remedy="run it again; it leaves them out then",
                retry=True,
            )

    def _marks(self) -> tuple[int, int, int]:
        found = os.stat(self._issuers)  # noqa: PTH116 - looked at with every step of the work
        return self._consents.version(), found.st_mtime_ns, found.st_ino
