"""What is said about a mapping file that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.sources.tabular.conftest import Clinic
from xinglin.core.errors import BadInput, UsageError
from xinglin.sources import Reading
from xinglin.sources.tabular import load_mapping, recognises

GOOD = """
maps: {sex: {男: male}}
tables:
  people:
    file: people.csv
    resources:
      - type: Patient
        id: "{id}"
        elements:
          gender: {$code: sex, map: sex}
          birthDate: {$date: born}
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    file: people.csv\n", "", "line 4, tables.people"),
        ("file: people.csv", "flie: people.csv", "'flie' was unexpected"),
        ("type: Patient", "type: Person2", r"line 7, tables.people.resources\[0\].type"),
        ("map: sex}", "map: sox}", "there is no map sox"),
        ("$date: born", "$datum: born", "line 11"),
        ("$date: born", "$date: born, format: '%Q'", "%Q is not one of"),
        ("$date: born", "$date: born, format: '%Y %H:%M'", "have no offset"),
        ("$date: born", "$date: born, time_zone: Mars/Base", "there is no time zone Mars/Base"),
        ('id: "{id}"', 'id: "{id"', "a brace { is not closed"),
        ('id: "{id}"', 'id: "{$line}"', "there is no \\$line"),
        ("maps:", "encoding: klingon\nmaps:", "there is no encoding klingon"),
        ("maps:", "maps: {a: 1}\nmaps:", "the key maps stands twice"),
        ("{男: male}", "{男: '{id}'}", ""),
        ("maps:", "maps: [", "the mapping is not YAML"),
    ],
)
def test_an_error_names_the_place_and_the_remedy(old: str, new: str, said: str):
    assert load_mapping(GOOD)
    text = GOOD.replace(old, new, 1)
    if not said:
        assert load_mapping(text)  # a map's texts are no templates
        return
    with pytest.raises(BadInput, match=said) as error:
        load_mapping(text)
    assert error.value.remedy


def test_a_word_is_what_it_looks_like():
    loaded = load_mapping(
        GOOD.replace("maps: {sex: {男: male}}", "null: [NO, 0123, NA]\nmaps: {sex: {no: male, 01: 1e3}}")
    )
    assert loaded.tables["people"].nulls == {"NO", "0123", "NA"}
    assert loaded.maps["sex"] == {"no": "male", "01": "1e3"}


def test_a_mapping_recognises_its_files_and_no_others():
    reading = Reading("auto", mapping=GOOD)
    assert recognises("2024/People.CSV.gz", b"", reading)
    assert not recognises("other.csv", b"", reading)
    assert not recognises("people.csv", b"", Reading("auto", mapping="segments: {}"))
    assert not recognises("people.csv", b"", Reading("auto"))


def test_a_table_without_a_mapping_is_bad_usage(clinic: Clinic, tmp_path: Path):
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "people.csv").write_text("id\n1\n")
    from xinglin.landing import ingest

    with pytest.raises(UsageError, match="xinglin source profile drafts it"):
        ingest(clinic.landing, tmp_path / "inbox", "clinic", reading=Reading("tabular"))


def test_a_corrected_mapping_reads_the_same_file_again(clinic: Clinic, tmp_path: Path):
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "people.csv").write_text("id,sex,born\n1,女,\n")
    assert clinic.land(tmp_path / "inbox", GOOD).quarantined == 1
    assert clinic.land(tmp_path / "inbox", GOOD.replace("{男: male}", "{男: male, 女: female}")).landed == 1
    assert [one["gender"] for one in clinic.resources()] == ["female"]


def test_a_column_that_may_be_absent_is_said_to_be_so(clinic: Clinic, tmp_path: Path):
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "people.csv").write_text("id,sex\n1,男\n")
    clinic.land(tmp_path / "inbox", GOOD)
    assert clinic.quarantine() == [(0, "missing-column", "expected the column born in the header")]
    optional = GOOD.replace("    resources:", "    columns: {born: {optional: true}}\n    resources:")
    assert clinic.land(tmp_path / "inbox", optional).landed == 1
