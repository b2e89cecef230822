from __future__ import annotations

from pathlib import Path

import pytest

from xinglin.synthetic import RegionPlan, generate


def region_in(form: str, out: Path) -> Path:
    """A small region whose first institution, a hospital, writes a format; the others write FHIR."""
    generate(RegionPlan(persons=80, institutions=2, seed=21, workers=1, formats=(form,)), out)
    return out / "east-hospital"


@pytest.fixture(scope="session")
def as_fhir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return region_in("fhir", tmp_path_factory.mktemp("writers") / "fhir")


@pytest.fixture(scope="session")
def as_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return region_in("csv", tmp_path_factory.mktemp("writers") / "csv")


@pytest.fixture(scope="session")
def as_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return region_in("database", tmp_path_factory.mktemp("writers") / "database")


@pytest.fixture(scope="session")
def as_hl7v2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return region_in("hl7v2", tmp_path_factory.mktemp("writers") / "hl7v2")
