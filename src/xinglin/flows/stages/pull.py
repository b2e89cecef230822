"""Pull what is new in a site's database and land it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from xinglin.admission.stores import Progress, Stores
from xinglin.core.files import exclusive, full_disk

if TYPE_CHECKING:
    from xinglin.landing import IngestReport, Landing

__all__ = ["ingest_database", "watermarks"]


def watermarks(landing: Landing, site: str, mapping: str | None = None) -> dict[str, str]:
    """Where the last pull of each table ended.

    Args:
        landing: The region's landing.
        site: The institution.
        mapping: Text of the mapping file; pulls by another one do not count, since its rows became other resources.
    """
    digest = None if mapping is None else hashlib.sha256(mapping.encode()).hexdigest()
    marks: dict[str, str] = {}
    for batch in landing.batches(site):
        if digest in (None, batch.manifest.get("mapping")):
            for source in batch.manifest["sources"]:
                marks.update(source.get("watermark", {}))
    return marks


def ingest_database(
    stores: Stores, url: str, site: str, mapping_text: str, progress: Progress | None = None
) -> IngestReport:
    """Land the rows of a database that are new since the last pull, as one signed batch.

    Args:
        stores: The region.
        url: Of the database; its password is kept nowhere.
        site: The institution.
        mapping_text: Text of the mapping file.
        progress: Told of the steps.

    Raises:
        UsageError: The URL or the mapping cannot be used.
        StorageError: The database cannot be reached, or the disk is full.
    """
    from xinglin.landing import ingest
    from xinglin.sources import Reading
    from xinglin.sources.tabular import pull

    stores.landing.site(site)
    home = stores.landing.folder(site)
    with exclusive(home / ".pull.lock", doing=f"pulling for {site}"), full_disk(home):
        for leftover in home.glob(".pull-*"):
            shutil.rmtree(leftover)
        folder = Path(mkdtemp(prefix=".pull-", dir=home))
        try:
            marks = watermarks(stores.landing, site, mapping_text)
            told = None if progress is None else lambda rows: progress(f"pull {site}", rows, rows)
            pull(url, mapping_text, marks, folder, told)
            return ingest(
                stores.landing,
                folder,
                site,
                settings=stores.settings,
                clock=stores.clock,
                progress=None if progress is None else lambda done, total: progress(f"land {site}", done, total),
                reading=Reading("tabular", mapping=mapping_text),
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
