"""Files that a site sent before: the same bytes are counted again, not read again."""

from __future__ import annotations

import hashlib
from typing import Any

from xinglin.core.files import file_sha256
from xinglin.landing.spool import segment_number
from xinglin.sources import Found

__all__ = ["Known"]


class Known:
    """The files of a site's batches by size and SHA-256, collected batch by batch.

    Example:
        >>> known = Known()
        >>> known.learn(1, {"sources": [{"name": "mllp-00000007.hl7", "role": "resources", "complete": True, "bytes": 3,
        ...                              "sha256": "ab", "records": 2}]})
        >>> known.last, known.mark("mllp"), known.landed("mllp-00000007.hl7", "ab"), known.landed("a.hl7", "ab")
        (1, 7, True, False)
    """

    def __init__(self) -> None:
        self.last = 0
        self._sizes: set[int] = set()
        self._records: dict[str, int] = {}
        self._marks: dict[str, int] = {}
        self._mappings: dict[str, str | None] = {}

    def learn(self, sequence: int, manifest: dict[str, Any], erased: frozenset[int] = frozenset()) -> None:
        """Add the next batch.

        Args:
            sequence: The batch's number.
            manifest: The batch's manifest.
            erased: Received files with records that were erased later: they are read again if they are sent again.
        """
        sources, archive, again = manifest["sources"], 0, set(erased)
        for number, source in enumerate(sources):
            archive = number if source["role"] == "archive" else archive
            if source["role"] == "member" and number in erased:
                again.add(archive)
        for number, source in enumerate(sources):
            if source["role"] != "member" and source["complete"]:
                if number not in again:
                    self._sizes.add(source["bytes"])
                    self._records[source["sha256"]] = source["records"]
                    self._mappings[source["sha256"]] = manifest.get("mapping")
                if segment := segment_number(source["name"]):
                    self._marks[segment[0]] = max(segment[1], self.mark(segment[0]))
        self.last = sequence

    def mark(self, feed: str) -> int:
        """Number of the last segment of a live feed that was landed; 0 for none."""
        return self._marks.get(feed, 0)

    def landed(self, name: str, sha256: str) -> bool:
        """Whether a file of a live feed's segment is in a batch; the same bytes in another segment do not count."""
        segment = segment_number(name)
        return segment is not None and segment[1] <= self.mark(segment[0]) and sha256 in self._records

    def has(self, sha256: str) -> bool:
        """Whether a file with these bytes is in a batch."""
        return sha256 in self._records

    def records(self, found: Found, mapping: str | None = None) -> tuple[str, int] | None:
        """SHA-256 and number of records of a file that was received before; None for a new one.

        A file is hashed only if one of the same size was received before. A file that was read with another mapping is
        new, because it becomes other resources.

        Args:
            found: The file.
            mapping: Text of the mapping file.
        """
        if found.size not in self._sizes:
            return None
        try:
            digest = file_sha256(found.path)
        except OSError:
            return None
        own = None if mapping is None else hashlib.sha256(mapping.encode()).hexdigest()
        if digest not in self._records or self._mappings[digest] != own:
            return None
        return digest, self._records[digest]
