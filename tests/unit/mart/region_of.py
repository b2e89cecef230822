"""A tiny landed region written straight as Parquet, so that the mart is tested without the stages before it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet

from xinglin.contracts.person_map import PERSON_MAP
from xinglin.core.files import file_sha256
from xinglin.core.ids import omop_key
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.lake import Lake
from xinglin.landing import LandedFile
from xinglin.mart import MartReport, Rules, build_mart

Resource = dict[str, Any]


def patient(number: str = "p1", **more: Any) -> Resource:
    return {"resourceType": "Patient", "id": number, "gender": "female", "birthDate": "1950-02-03", **more}


def about(kind: str, number: str, **more: Any) -> Resource:
    """A resource about patient p1."""
    return {"resourceType": kind, "id": number, "subject": {"reference": "Patient/p1"}, **more}


def code(value: str, system: str = "http://snomed.info/sct") -> Resource:
    return {"coding": [{"system": system, "code": value}]}


def digits(number: str) -> str:
    """A JSON number that is landed just as it is written here."""
    return f"«{number}»"


def _digits(text: str) -> str:
    return text.replace('"«', "").replace('»"', "")


@dataclass
class TinyRegion:
    """What `build_mart` needs of a landing, and a lake."""

    home: Path
    superseded_rows: dict[tuple[str, int, str], list[int]] = field(default_factory=dict)
    landed: list[LandedFile] = field(default_factory=list)

    def land(self, resources: Sequence[Resource], site: str = "mercy", batch: int = 1) -> None:
        by_type: dict[str, list[Resource]] = {}
        for resource in resources:
            by_type.setdefault(resource["resourceType"], []).append(resource)
        for kind, some in sorted(by_type.items()):
            folder = self.home / "landing" / site / f"batch-{batch:06d}"
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{kind}-00000.parquet"
            texts = [_digits(json.dumps(resource, separators=(",", ":"), ensure_ascii=False)) for resource in some]
            table = {
                "key": pa.array([omop_key(site, kind, resource["id"]) for resource in some], pa.int64()),
                "patient_key": pa.array([_patient_key(site, resource) for resource in some], pa.int64()),
                "resource_id": [resource["id"] for resource in some],
                "resource": texts,
            }
            parquet.write_table(pa.table(table), path)
            asking = sum("?identifier=" in text for text in texts)
            self.landed.append(LandedFile(site, batch, path.name, path, kind, len(some), file_sha256(path), asking))

    def link(self, persons: Mapping[tuple[str, str], int]) -> None:
        """Publish a person map: (site, Patient.id) -> person_id."""
        lake = Lake(self.home / "lake", permit=OPEN)
        keys = [omop_key(site, "Patient", number) for site, number in persons]
        table = pa.table(
            {"patient_key": pa.array(keys, pa.int64()), "person_id": pa.array(persons.values(), pa.int64())}
        )
        with lake.scratch("identity") as scratch:
            parquet.write_table(table, scratch / "map.parquet")
            file = lake.adopt(PERSON_MAP, scratch / "map.parquet")
        lake.publish("identity", {PERSON_MAP: [file]}, {})

    def files(self) -> list[LandedFile]:
        rows = self.superseded_rows
        return [
            replace(file, superseded=tuple(rows.get((file.site, file.batch, file.name), ())))
            for file in sorted(self.landed, key=lambda file: (file.site, file.batch, file.name))
        ]

    def build(self, *, full: bool = False, rules: Rules | None = None) -> MartReport:
        settings = Settings(home=self.home, buckets=3, threads=2, memory_mb=300)
        return build_mart(Lake(self.home / "lake", permit=OPEN), self, settings, full=full, rules=rules)  # type: ignore[arg-type]

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Answer a SELECT over the published tables."""
        snapshot = Lake(self.home / "lake", permit=OPEN).snapshot("mart")
        assert snapshot
        with duckdb.connect() as connection:
            for name, files in snapshot.tables.items():
                if files:
                    paths = snapshot.files(name)
                    connection.execute(f"CREATE VIEW {name} AS FROM read_parquet({paths}, hive_partitioning = false)")
            return connection.execute(sql).fetchall()


def _patient_key(site: str, resource: Resource) -> int | None:
    if resource["resourceType"] == "Patient":
        return omop_key(site, "Patient", resource["id"])
    reference = (resource.get("subject") or resource.get("patient") or {}).get("reference", "")
    return omop_key(site, "Patient", reference.removeprefix("Patient/")) if reference else None
