"""Real objects of many makers: 13 transfer syntaxes, 13 character sets, DICOMDIR trees, deliberately broken ones."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.landing import Landing, ingest
from xinglin.sources import Reading, Rejected, Splitter, discover, records

pytestmark = pytest.mark.real

NO_STUDY = ("missing-element", "expected the Study Instance UID")
NO_INSTANCE = ("missing-element", "expected the SOP Instance UID")
SET_ASIDE = {
    "charset_files/chrSQEncoding.dcm": NO_STUDY,
    "charset_files/chrSQEncoding1.dcm": NO_STUDY,
    "test_files/JPEGLSNearLossless_08.dcm": NO_STUDY,
    "test_files/JPEGLSNearLossless_16.dcm": NO_STUDY,
    "test_files/SC_rgb_jls_lossy_line.dcm": NO_STUDY,
    "test_files/SC_rgb_jls_lossy_sample.dcm": NO_STUDY,
    "test_files/UN_sequence.dcm": NO_STUDY,
    "test_files/no_meta_group_length.dcm": NO_STUDY,
    "test_files/priv_SQ.dcm": NO_STUDY,
    "test_files/empty_charset_LEI.dcm": NO_INSTANCE,
    "test_files/meta_missing_tsyntax.dcm": NO_INSTANCE,
    "test_files/nested_priv_SQ.dcm": NO_INSTANCE,
    "test_files/no_meta.dcm": NO_INSTANCE,
    "test_files/rtplan.dump": ("not-fhir", "expected JSON, NDJSON or a zip archive of them"),
    "test_files/rtstruct.dump": ("not-fhir", "expected JSON, NDJSON or a zip archive of them"),
    "test_files/test1.json": ("not-fhir", "expected the element resourceType"),
    "test_files/test_PN.json": ("not-fhir", "expected the element resourceType"),
}
DIRECTORIES = 8
TEXTS = 5
NAMES = {
    "chrArab": ["قباني^لنزار"],
    "chrFren": ["Buc^Jérôme"],
    "chrFrenMulti": ["Buc^Jérôme"],
    "chrGerm": ["Äneas^Rüdiger"],
    "chrGreek": ["Διονυσιος"],
    "chrH31": ["山田^太郎", "Yamada^Tarou", "やまだ^たろう"],
    "chrH32": ["山田^太郎", "ﾔﾏﾀﾞ^ﾀﾛｳ", "やまだ^たろう"],
    "chrHbrw": ["שרון^דבורה"],
    "chrI2": ["洪^吉洞", "Hong^Gildong", "홍^길동"],
    "chrJapMulti": ["やまだ^たろう"],
    "chrJapMultiExplicitIR6": ["やまだ^たろう"],
    "chrKoreanMulti": ["김희중"],
    "chrRuss": ["Люкceмбypг"],
    "chrX1": ["王^小東", "Wang^XiaoDong"],
    "chrX2": ["王^小东", "Wang^XiaoDong"],
}


@pytest.fixture(scope="module")
def pydicom_files(real_data: Callable[[str], Path]) -> Path:
    return real_data("dicom-pydicom")


def read_all(folder: Path) -> tuple[Splitter, dict[str, list[object]]]:
    splitter = Splitter(Reading())
    found: dict[str, list[object]] = {}
    for one in discover(folder, Reading()):
        for part in splitter.parts(one):
            found[one.name] = [record.found for record in records(part, Reading())]
    return splitter, found


def test_every_file_lands_or_is_set_aside_with_its_reason(pydicom_files: Path) -> None:
    splitter, found = read_all(pydicom_files)
    aside = {
        name: (one.reason, one.detail) for name, some in found.items() for one in some if isinstance(one, Rejected)
    }
    landed = [name for name, some in found.items() if len(some) == 2]
    described = [entry for entry in splitter.received if entry.role == "description"]

    assert aside == SET_ASIDE
    assert sum("dicomdir" in entry.facts for entry in described) == DIRECTORIES
    assert len(described) == DIRECTORIES + TEXTS
    assert len(landed) + len(aside) + len(described) == len(splitter.received) == 194
    assert {entry.facts["dicomdir"]["missing"] for entry in described if entry.facts} == {0}


def test_names_are_right_in_every_character_set(pydicom_files: Path) -> None:
    _, found = read_all(pydicom_files / "charset_files")
    names = {}
    for file, some in found.items():
        if len(some) == 2:
            patient = json.loads(some[0].text)  # type: ignore[attr-defined]
            names[file.removesuffix(".dcm")] = [
                one.get("text") or "^".join([one["family"], *one["given"]]) for one in patient["name"]
            ]

    assert names == NAMES


def test_headers_say_what_pydicom_reads(pydicom_files: Path) -> None:
    """Every name and number against pydicom's own decoding of the same file."""
    import pydicom

    compared = Counter[str]()
    _, found = read_all(pydicom_files)
    for file, some in found.items():
        if len(some) != 2 or file.endswith(".gz"):
            continue
        patient, study = (json.loads(one.text) for one in some)  # type: ignore[attr-defined]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = pydicom.dcmread(pydicom_files / file, stop_before_pixels=True, force=True)
            written = {part for part in str(header.get("PatientName") or "").replace("=", "^").split("^") if part}
            numbers = {str(header.PatientID)} if header.get("PatientID") else set()
        told = [
            [one.get("text"), one.get("family"), *one.get("given", []), *one.get("prefix", []), *one.get("suffix", [])]
            for one in patient.get("name", [])
        ]
        assert {part for one in told for part in one if part} == {part.strip() for part in written}, file
        assert {one["value"] for one in patient.get("identifier", [])} >= numbers, file
        assert study["id"] == str(header.SOPInstanceUID), file
        assert study["series"][0]["uid"] == header.SeriesInstanceUID, file
        assert study.get("modality", [{}])[0].get("code") == header.get("Modality"), file
        compared["names"] += bool(written)
        compared["files"] += 1

    assert compared["files"] == 163
    assert compared["names"] > 100


def test_objects_are_kept_as_they_were_received(tmp_path: Path, real_data: Callable[[str], Path]) -> None:
    landing = Landing(tmp_path / "landing", permit=OPEN)
    landing.add_site("mercy", "hospital", seed=bytes(32))
    folder = real_data("dicom-pynetdicom")

    report = ingest(landing, folder, "mercy", Settings(tmp_path, threads=1))
    again = ingest(landing, folder, "mercy", Settings(tmp_path, threads=1))

    files = [path for path in folder.iterdir() if path.suffix == ".dcm"]
    kept = landing.folder("mercy") / "originals"
    assert {path.name for path in kept.iterdir()} == {sha256(path.read_bytes()).hexdigest() for path in files}
    assert all(sha256(path.read_bytes()).hexdigest() == path.name for path in kept.iterdir())
    assert report.received == 2 * len(files) == report.landed + report.duplicate
    assert again.duplicate == report.received
    (study_file,) = (file for file in landing.files() if file.resource_type == "ImagingStudy")
    hashes = {
        json.loads(text)["extension"][0]["valueString"]
        for text in pq.read_table(study_file.path, columns=["resource"])["resource"].to_pylist()
    }
    assert hashes <= {path.name for path in kept.iterdir()}
