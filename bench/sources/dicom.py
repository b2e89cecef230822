"""Landing DICOM objects: headers read, objects kept, beside pydicom alone reading the same headers."""

from __future__ import annotations

import os
import sys
import tempfile
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from bench import material
from bench.measure import Run, median_seconds, paired, python, record

OBJECTS = 3_140
_ROOT = b"1.3.6.1.4.1.14519."
_PATIENT = b"STS_"


def objects(least: int = OBJECTS) -> Path:
    """A folder of at least this many objects: copies of real studies, as other patients with other UIDs."""
    folder = material.folder() / f"dicom-{least}"
    if (folder / "done").exists():
        return folder
    root = Path(os.environ.get("XINGLIN_REAL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
    written = copy = 0
    while written < least:
        for archive in sorted((root / "dicom-ibsi").glob("*.zip")):
            with zipfile.ZipFile(archive) as file:
                for name in (one for one in file.namelist() if not one.endswith("/")):
                    data = file.read(name).replace(_ROOT, b"1.3.6.1.4.1.%05d." % (20_000 + copy))
                    path = folder / f"{copy:03d}" / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(data.replace(_PATIENT, b"S%02d_" % (copy % 100)))
                    written += 1
            copy += 1
            if written >= least:
                break
    (folder / "done").touch()
    return folder


def bench(resources: int, times: int) -> None:
    """A hundredth as many objects as resources, at most `OBJECTS`."""
    folder = objects(min(OBJECTS, resources // 100))
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "done"]
    ours, theirs, ratio = paired(lambda: _way("land", folder), lambda: _way("pydicom", folder), times)
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    record(
        "sources/dicom",
        {
            "objects": len(files),
            "megabytes": round(megabytes),
            "seconds": round(median_seconds(ours), 1),
            "objects_per_second": round(len(files) / median_seconds(ours)),
            "pydicom_alone_objects_per_second": round(len(files) / median_seconds(theirs)),
            "times_pydicom_alone": round(ratio, 2),
            "peak_mb": round(max(one.peak_mb for one in ours)),
        },
    )


def _way(what: str, folder: Path) -> Run:
    return python("bench.sources.dicom", what, folder)


def _land(folder: Path) -> None:
    from xinglin.core.permit import OPEN
    from xinglin.landing import Landing, ingest

    with tempfile.TemporaryDirectory(dir=folder.parent) as home:
        landing = Landing(Path(home) / "landing", permit=OPEN)
        landing.add_site("mercy", "hospital")
        report = ingest(landing, folder, "mercy")
        if report.quarantined or not report.landed:
            raise SystemExit(f"not all objects landed: {report}")


def _header(path: Path) -> str:
    from pydicom import dcmread

    return str(dcmread(path, stop_before_pixels=True).SOPInstanceUID)


def _pydicom(folder: Path) -> None:
    """Every header read by pydicom in as many processes, nothing kept or written."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "done")
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=get_context("spawn")) as pool:
        if len(set(pool.map(_header, paths, chunksize=64))) != len(paths):
            raise SystemExit("the objects are not all different")


if __name__ == "__main__":
    {"land": _land, "pydicom": _pydicom}[sys.argv[1]](Path(sys.argv[2]))
