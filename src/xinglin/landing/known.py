"""Files that a site sent before: the same bytes are counted again, not read again."""

from __future__ import annotations

from xinglin.core.files import file_sha256
from xinglin.landing.store import Batch
from xinglin.sources import Found

__all__ = ["Known"]


class Known:
    """The files of earlier batches by size and SHA-256.

    Args:
        earlier: The site's batches.
    """

    def __init__(self, earlier: list[Batch]) -> None:
        self._sizes: set[int] = set()
        self._records: dict[str, int] = {}
        for batch in earlier:
            for source in batch.manifest["sources"]:
                if source["role"] != "member" and source["complete"]:
                    self._sizes.add(source["bytes"])
                    self._records[source["sha256"]] = source["records"]

    def records(self, found: Found) -> tuple[str, int] | None:
        """SHA-256 and number of records of a file that was received before; None for a new one.

        A file is hashed beforehand only where one of the same size was received.
        """
        if found.size not in self._sizes:
            return None
        try:
            digest = file_sha256(found.path)
        except OSError:
            return None
        records = self._records.get(digest)
        return None if records is None else (digest, records)
