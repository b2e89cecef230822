"""A watched folder: files that stopped changing are landed one by one and put away."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from xinglin.flows.listen.plan import Afterwards
from xinglin.landing.live.micro_batches import LandedBatch

__all__ = ["Watcher"]

_ON_ITS_WAY = (".part", ".tmp", ".filepart", ".crdownload", ".swp", "~")
_PUT_AWAY = ("done", "failed")


class Watcher:
    """One folder.

    Args:
        folder: Where files appear.
        settle: Seconds for which a file's size and time must stay the same.
        afterwards: Whether landed files are moved away or left.
        now: Seconds that only go forward.

    Example:
        >>> import tempfile
        >>> folder, seconds = Path(tempfile.mkdtemp()), iter([0.0, 1.0, 5.0])
        >>> _ = (folder / "a.hl7").write_bytes(b"MSH|")
        >>> watcher = Watcher(folder, 2.0, "move", lambda: next(seconds))
        >>> [len(watcher.ready()) for _ in range(3)]
        [0, 0, 1]
    """

    def __init__(
        self, folder: Path, settle: float, afterwards: Afterwards, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder = folder
        self.afterwards = afterwards
        self._settle = settle
        self._now = now
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}
        self._left: dict[Path, tuple[int, int]] = {}

    def ready(self) -> list[Path]:
        """The files that can be taken now, by name."""
        now = self._now()
        seen: dict[Path, tuple[tuple[int, int], float]] = {}
        found = []
        for path in self._files():
            try:
                status = path.stat()
            except OSError:
                continue
            state = (status.st_size, status.st_mtime_ns)
            if self._left.get(path) == state:
                continue
            before, since = self._seen.get(path, (None, now))
            seen[path] = (state, since if before == state else now)
            if before == state and now - since >= self._settle:
                found.append(path)
        self._seen = seen
        return sorted(found)

    def landed(self, path: Path, batch: LandedBatch) -> None:
        """Put a file away that was landed; one of which every record was set aside has failed."""
        if batch.received and batch.quarantined == batch.received:
            reason = f"all {batch.received} records were set aside: xinglin quarantine --site {batch.site}"
            self.failed(path, f"{reason} (batch {batch.batch})")
        else:
            self._put(path, "done")

    def failed(self, path: Path, reason: str) -> None:
        """Put a file away that could not be landed, with the reason beside it."""
        moved = self._put(path, "failed")
        if self.afterwards == "move":
            moved.with_name(moved.name + ".reason.txt").write_text(reason + "\n", encoding="utf-8")

    def _files(self) -> list[Path]:
        found = []
        for folder, subfolders, names in os.walk(self.folder):
            here = Path(folder)
            subfolders[:] = [
                name
                for name in sorted(subfolders)
                if not name.startswith(".") and not (here == self.folder and name in _PUT_AWAY)
            ]
            found += [here / name for name in names if not (name.startswith(".") or name.endswith(_ON_ITS_WAY))]
        return found

    def _put(self, path: Path, where: str) -> Path:
        self._seen.pop(path, None)
        if self.afterwards == "leave":
            status = path.stat()
            self._left[path] = (status.st_size, status.st_mtime_ns)
            return path
        target = self.folder / where / path.relative_to(self.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        number = 1
        while target.exists():
            number += 1
            target = target.with_name(f"{path.stem}-{number}{path.suffix}")
        return path.rename(target)
