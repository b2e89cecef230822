"""One record that cannot be true stops nobody: the run ends well, warns, and the check explains."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.mart.vocabulary.test_load import ANCESTOR, CONCEPT, RELATIONSHIP

from .conftest import Xinglin

pytestmark = pytest.mark.e2e

SNOMED, RXNORM = "http://snomed.info/sct", "http://www.nlm.nih.gov/research/umls/rxnorm"


def resources(born: str, number: int) -> list[dict[str, object]]:
    """One patient, with two conditions and two drugs that begin on the same day."""
    about = {"subject": {"reference": f"Patient/p{number}"}}
    stroke = {"code": {"coding": [{"system": SNOMED, "code": "230690007"}]}, "onsetDateTime": "2020-03-04"}
    drug = {"coding": [{"system": RXNORM, "code": "243670"}]}
    taken = {"status": "completed", "medicationCodeableConcept": drug, "effectiveDateTime": "2020-03-04"}
    return [
        {
            "resourceType": "Patient",
            "id": f"p{number}",
            "gender": "female",
            "birthDate": born,
            "name": [{"family": f"Family{number}", "given": [f"Given{number}"]}],
        },
        *({"resourceType": "Condition", "id": f"c{number}-{n}", **about, **stroke} for n in range(2)),
        *({"resourceType": "MedicationStatement", "id": f"m{number}-{n}", **about, **taken} for n in range(2)),
    ]


@pytest.fixture
def two_institutions(tmp_path: Path) -> Xinglin:
    xinglin = Xinglin(tmp_path / "home")
    xinglin("init", tmp_path / "home")
    athena = tmp_path / "athena"
    athena.mkdir()
    for name, text in {"CONCEPT": CONCEPT, "CONCEPT_RELATIONSHIP": RELATIONSHIP, "CONCEPT_ANCESTOR": ANCESTOR}.items():
        (athena / f"{name}.csv").write_text(text)
    xinglin("vocabulary", "load", athena)
    for site, births in {"mercy": ["1950-02-03", "1849-05-05"], "grace": ["1971-03-09", "1962-11-30"]}.items():
        folder = tmp_path / site
        folder.mkdir()
        lines = [json.dumps(resource) for number, born in enumerate(births) for resource in resources(born, number)]
        (folder / "records.ndjson").write_text("\n".join(lines))
        xinglin("site", "add", site, "--kind", "hospital")
        xinglin("ingest", folder, "--site", site)
    return xinglin


def test_one_bad_birth_year_warns_and_is_explained(two_institutions: Xinglin) -> None:
    run = two_institutions.json("run", "--json")
    assert run["checks"]["blocking"] == 0
    assert run["checks"]["failed"] >= 1
    rows = ("person", "condition_era", "drug_era")
    counts = "SELECT " + ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in rows)
    assert two_institutions.json("sql", counts, "--format", "json") == [dict.fromkeys(rows, 3)]

    name = "isPlausibleDate.implausible_value.birth"
    explained = two_institutions("mart", "check", "--explain")
    key = two_institutions.json("sql", "SELECT resource_key AS key FROM implausible_value", "--format", "json")[0][
        "key"
    ]
    assert f"{name}: failed" in explained
    assert str(key) in explained
    assert "1849" not in explained

    terms = ("--threshold", "0.3", "--until", "2126-01-31", "--why", "typing error", "--by", "Data steward")
    two_institutions("mart", "waive", name, *terms)
    (waived,) = [check for check in two_institutions.json("mart", "check", "--json")["checks"] if check["waiver"]]
    assert (waived["status"], waived["waiver"]["by"]) == ("waived", "Data steward")
    refused = two_institutions("mart", "waive", "isPrimaryKey.person.person_id", *terms, code=2)
    assert "cannot be waived" in refused
