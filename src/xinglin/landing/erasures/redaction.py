"""Redaction of stored originals: find those that mention a person and rewrite them without."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from xinglin.landing.batch.originals import keep_original, kept_name, original_sha256
from xinglin.landing.batch.parquet import sync
from xinglin.landing.erased_hashes import ErasedHashes
from xinglin.landing.erasures.trace import Trace
from xinglin.landing.store import Batch, Landing
from xinglin.landing.tombstone import RedactedOriginal, originals_now, read_tombstones
from xinglin.sources import Reading, Received
from xinglin.sources.redact import Cut, Judge, Original, redact

__all__ = ["Redacted", "kept_without", "originals_without"]


@dataclass
class Redacted:
    """Changes to a site's originals.

    Args:
        removed: Names of those to delete.
        rewritten: Those to replace by redacted ones.
        lost: Records about other persons in originals that cannot be cut and are deleted whole.
        unread: Members of archives that cannot be read and are kept.
    """

    removed: list[str] = field(default_factory=list)
    rewritten: list[RedactedOriginal] = field(default_factory=list)
    lost: int = 0
    unread: int = 0


def originals_without(
    landing: Landing, site: str, trace: Trace, sources: Mapping[int, Collection[int]], staged: Callable[[str], Path]
) -> Redacted:
    """Redact a site's originals: rewrite them without a person's records.

    Args:
        landing: The region's landing.
        site: The site.
        trace: Recognises the person.
        sources: Received files, by batch and number, that contained records of the person.
        staged: Gives a path to write the file for a target path in the site's folder; for `""`, a path of a work
            file.
    """
    judge = Judge(trace.owns, trace.mentioned_in, trace.suspected)
    folder = landing.folder(site) / "originals"
    found = Redacted()
    for name, original in sorted(_originals(landing, site, sources).items()):
        work = staged("")
        cut = redact(original, judge, work)
        found.lost += cut.lost
        found.unread += cut.unread
        if cut.removed and cut.remains:
            after = kept_name(work, name.endswith(".zst"))
            sync(work)
            size = work.stat().st_size
            work.replace(staged(f"{folder.name}/{after}"))
            found.rewritten.append(RedactedOriginal(name, after, size, cut.removed))
        elif cut.removed:
            found.removed.append(name)
    return found


def _originals(landing: Landing, site: str, sources: Mapping[int, Collection[int]]) -> dict[str, Original]:
    """Every stored original by its current name, with what to expect in it."""
    folder = landing.folder(site)
    now = originals_now(read_tombstones(folder))
    found: dict[str, Original] = {}
    for batch in landing.batches(site):
        for kept, original in _of_batch(landing, batch, sources.get(batch.sequence, ())):
            name = now.get(kept, kept)
            path = folder / "originals" / str(name)
            if name is None or not path.is_file():
                continue
            known = found.get(name)
            found[name] = replace(
                original,
                path=path,
                expected=original.expected or (known is not None and known.expected),
                members=original.members | (known.members if known else frozenset()),
            )
    return found


def _of_batch(landing: Landing, batch: Batch, expected: Collection[int]) -> Iterator[tuple[str, Original]]:
    """The originals of a batch, with how they were read."""
    manifest = batch.manifest
    mapping = manifest.get("mapping")
    form = manifest.get("read_as", landing.site(batch.site).format)
    reading = Reading(form, None if mapping is None else landing.mapping(batch.site, mapping))
    archive: dict[str, Any] = {}
    members: set[str] = set()
    for number, source in enumerate(manifest["sources"]):
        if source["role"] == "archive":
            if archive:
                yield archive["original"], Original(Path(), archive["name"], reading, members=frozenset(members))
            archive, members = (source if "original" in source else {}), set()
            continue
        if archive and number in expected and source["name"].startswith(f"{archive['name']}/"):
            members.add(source["name"].removeprefix(f"{archive['name']}/"))
        if "original" in source:
            original = Original(Path(), source["name"], reading, source.get("encoding"), number in expected)
            yield source["original"], original
    if archive:
        yield archive["original"], Original(Path(), archive["name"], reading, members=frozenset(members))


def kept_without(
    received: list[Received],
    erased: Collection[int],
    reading: Reading,
    erased_hashes: ErasedHashes | None,
    places: tuple[Path, Path],
) -> dict[int, str]:
    """Store received files that contain erased records, without these records.

    Args:
        received: The received files; the facts of a stored one say how many pieces were removed.
        erased: Numbers of those that contain erased records.
        reading: Format, mapping and limits.
        erased_hashes: Erased resources; None if there are none.
        places: A work folder, and the folder of originals.

    Returns:
        Names of the stored originals by number of the received file.
    """
    if erased_hashes is None:
        return {}
    work, folder = places
    judge = Judge(erased_hashes.owns, erased_hashes.names_erased, None)
    kept: dict[int, str] = {}
    for number, original in _received(received, erased, reading):
        cut = redact(original, judge, work)
        if not cut.removed or not cut.remains:
            continue
        one = received[number]
        one.facts |= _facts(cut)
        kept[number] = keep_original(work, one.name, original_sha256(work), folder)
        work.unlink()
    return kept


def _facts(cut: Cut) -> dict[str, int]:
    return {"redacted": cut.removed} | ({"lost": cut.lost} if cut.lost else {})


def _received(received: list[Received], erased: Collection[int], reading: Reading) -> Iterator[tuple[int, Original]]:
    """The originals among received files that contain erased records."""
    members: dict[int, set[str]] = {}
    archive = 0
    for number, one in enumerate(received):
        archive = number if one.role == "archive" else archive
        if number in erased and one.in_archive:
            members.setdefault(archive, set()).add(one.name.removeprefix(f"{received[archive].name}/"))
        elif number in erased and one.rewritten:
            yield number, Original(one.path, one.name, reading, one.facts.get("encoding"), expected=True)
    for number, names in sorted(members.items()):
        one = received[number]
        yield number, Original(one.path, one.name, reading, members=frozenset(names))
