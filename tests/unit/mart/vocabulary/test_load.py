"""An Athena download decides concepts and tables."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.mart.region_of import TinyRegion, about, code, patient
from xinglin.core.errors import BadInput
from xinglin.core.permit import OPEN
from xinglin.lake import Lake
from xinglin.mart import load_vocabulary

DAY = "2020-03-04"
CONCEPT = (
    "concept_id\tconcept_name\tdomain_id\tvocabulary_id\tconcept_class_id\tstandard_concept\tconcept_code"
    "\tvalid_start_date\tvalid_end_date\tinvalid_reason\n"
    "1\tNA\tMeasurement\tSNOMED\tProcedure\tS\t100\t19700101\t20991231\t\n"
    '2\t5" tube "old\tCondition\tICD10CM\tcode\t\tI63\t19700101\t20991231\t\n'
    "3\tStroke\tCondition\tSNOMED\tFinding\tS\t230690007\t19700101\t20991231\t\n"
    "4\tAspirin\tDrug\tRxNorm\tIngredient\tS\t1191\t19700101\t20991231\t\n"
    "5\tAspirin 81 MG\tDrug\tRxNorm\tClinical Drug\tS\t243670\t19700101\t20991231\t\n"
)
RELATIONSHIP = (
    "concept_id_1\tconcept_id_2\trelationship_id\tvalid_start_date\tvalid_end_date\tinvalid_reason\n"
    "2\t3\tMaps to\t19700101\t20991231\t\n"
    "3\t3\tMaps to\t19700101\t20991231\t\n"
)
ANCESTOR = (
    "ancestor_concept_id\tdescendant_concept_id\tmin_levels_of_separation\tmax_levels_of_separation\n"
    "4\t5\t1\t1\n"
    "4\t4\t0\t0\n"
)


@pytest.fixture
def download(tmp_path: Path) -> Path:
    folder = tmp_path / "athena"
    folder.mkdir()
    (folder / "CONCEPT.csv").write_text(CONCEPT)
    (folder / "CONCEPT_RELATIONSHIP.csv").write_text(RELATIONSHIP)
    (folder / "CONCEPT_ANCESTOR.csv").write_text(ANCESTOR)
    return folder


@pytest.fixture
def region(tmp_path: Path, download: Path) -> TinyRegion:
    region = TinyRegion(tmp_path)
    region.link({("mercy", "p1"): 17})
    load_vocabulary(Lake(tmp_path / "lake", permit=OPEN), download, memory_mb=300)
    return region


def test_the_word_na_and_lone_quotes_are_names(tmp_path: Path, download: Path):
    import duckdb

    lake = Lake(tmp_path / "lake", permit=OPEN)
    assert load_vocabulary(lake, download, memory_mb=300).rows["concept"] == 5
    snapshot = lake.snapshot("vocabulary")
    assert snapshot
    with duckdb.connect() as connection:
        names = connection.execute(
            "SELECT concept_name, invalid_reason FROM read_parquet(?) ORDER BY concept_id LIMIT 2",
            [snapshot.files("concept")],
        ).fetchall()
    assert names == [("NA", None), ('5" tube "old', None)]


def test_a_zip_with_a_folder_and_macos_companions_is_read(tmp_path: Path, download: Path):
    path = tmp_path / "v.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in download.iterdir():
            archive.write(file, f"inner/{file.name}")
            archive.writestr(f"__MACOSX/inner/._{file.name}", b"junk")
    assert load_vocabulary(Lake(tmp_path / "lake", permit=OPEN), path, memory_mb=300).codes == 5


def test_a_folder_without_concepts_is_refused(tmp_path: Path):
    with pytest.raises(BadInput, match=r"CONCEPT\.csv and CONCEPT_RELATIONSHIP\.csv not found"):
        load_vocabulary(Lake(tmp_path / "lake", permit=OPEN), tmp_path, memory_mb=300)


def test_the_domain_of_the_concept_decides_the_table(region: TinyRegion):
    region.land([patient(), about("Procedure", "x", status="completed", code=code("100"), performedDateTime=DAY)])
    region.build()
    assert region.ask("SELECT measurement_concept_id, measurement_source_concept_id FROM measurement") == [(1, 1)]


def test_the_first_coding_with_a_standard_concept_is_taken_and_its_source_kept(region: TinyRegion):
    codings = code("unknown")["coding"] + code("I63", "http://hl7.org/fhir/sid/icd-10-cm")["coding"]
    region.land([patient(), about("Condition", "c", code={"coding": codings}, onsetDateTime=DAY)])
    report = region.build()
    found = "condition_concept_id, condition_source_concept_id, condition_source_value"
    assert region.ask(f"SELECT {found} FROM condition_occurrence") == [(3, 2, "I63")]
    assert region.ask("SELECT condition_concept_id, condition_occurrence_count FROM condition_era") == [(3, 1)]
    assert report.unmapped == 0


def test_drugs_are_rolled_up_to_ingredients_over_gaps_of_thirty_days(region: TinyRegion):
    rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
    given = [("a", "243670", "2020-01-01"), ("b", "1191", "2020-01-31"), ("c", "243670", "2020-03-02")]
    region.land(
        [patient()]
        + [
            about(
                "MedicationStatement",
                number,
                status="completed",
                effectiveDateTime=day,
                medicationCodeableConcept=code(drug, rxnorm),
            )
            for number, drug, day in given
        ]
    )
    region.build()
    eras = "drug_concept_id, drug_era_start_date::VARCHAR, drug_era_end_date::VARCHAR, drug_exposure_count, gap_days"
    assert region.ask(f"SELECT {eras} FROM drug_era ORDER BY 2") == [
        (4, "2020-01-01", "2020-01-31", 2, 29),
        (4, "2020-03-02", "2020-03-02", 1, 0),
    ]


def test_an_allergy_to_a_drug_is_no_exposure_to_it(region: TinyRegion):
    rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
    region.land([patient(), about("AllergyIntolerance", "a", code=code("1191", rxnorm), recordedDate=DAY)])
    report = region.build()
    assert report.rows["drug_exposure"] == 0
    assert region.ask("SELECT observation_concept_id, value_as_concept_id FROM observation") == [(439224, 4)]


def test_a_new_vocabulary_redoes_every_file(region: TinyRegion, download: Path):
    region.land([patient(), about("Condition", "c", code=code("230690007"), onsetDateTime=DAY)])
    region.build()
    (download / "CONCEPT.csv").write_text(CONCEPT.replace("\tStroke\tCondition\t", "\tStroke\tObservation\t"))
    load_vocabulary(Lake(region.home / "lake", permit=OPEN), download, memory_mb=300)
    report = region.build()
    assert (report.units_done, report.rows["observation"], report.rows["condition_occurrence"]) == (2, 1, 0)


@pytest.mark.real
def test_a_real_vocabulary_shard_loads(tmp_path: Path, real_data: Callable[[str], Path]):
    report = load_vocabulary(Lake(tmp_path / "lake", permit=OPEN), real_data("omop-synthea27") / "Synthea27Nj_5.4.zip")
    assert report.rows["concept"] == 2294
    assert report.rows["concept_relationship"] == 266_588
