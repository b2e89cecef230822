"""A landing made by hand: Patient resources as Parquet, without signing; and how well links meet the truth."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from xinglin.core.clock import fixed_clock
from xinglin.core.files import file_sha256
from xinglin.core.ids import omop_key
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.identity import LinkReport, link, person_links
from xinglin.lake import Lake

CLOCK = fixed_clock(datetime(2026, 1, 1, tzinfo=UTC))
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True)
class File:
    site: str
    batch: int
    name: str
    path: Path
    sha256: str
    resource_type: str = "Patient"
    superseded: tuple[int, ...] = ()


@dataclass
class Region:
    """A home folder with a lake and a landing of Patient resources."""

    home: Path
    threads: int = 2
    landed: list[File] = field(default_factory=list)
    replaced: dict[tuple[str, int, str], list[int]] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, threads=self.threads)

    @property
    def lake(self) -> Lake:
        return Lake(self.home / "lake", permit=OPEN)

    def files(self, resource_type: str | None = None) -> list[File]:
        return [
            replace(file, superseded=tuple(self.replaced.get((file.site, file.batch, file.name), ())))
            for file in sorted(self.landed, key=lambda file: (file.site, file.batch, file.name))
        ]

    def land(self, site: str, patients: Iterable[dict[str, Any]]) -> None:
        resources = list(patients)
        batch = 1 + sum(file.site == site for file in self.landed)
        path = self.home / f"{site}-{batch}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        ids = [patient["id"] for patient in resources]
        keys = [omop_key(site, "Patient", local_id) for local_id in ids]
        texts = [json.dumps(patient, ensure_ascii=False) for patient in resources]
        parquet.write_table(pa.table({"key": keys, "resource_id": ids, "resource": texts}), path)
        self.landed.append(File(site, batch, "Patient-00000.parquet", path, file_sha256(path)))

    def link(self, *, full: bool = False) -> LinkReport:
        return link(self.lake, self, self.settings, CLOCK, full=full)

    def persons(self) -> dict[str, int]:
        """``site/local_id`` -> person id."""
        return {f"{site}/{local_id}": person for site, local_id, person, _ in person_links(self.lake)[1]}

    def together(self, *records: str) -> bool:
        """Whether the records are one person's."""
        persons = self.persons()
        return len({persons[record] for record in records}) == 1

    def tables(self) -> dict[str, bytes]:
        """The bytes of every data file of identity."""
        root = self.lake.root / "identity"
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*.parquet"))
            if "_delta_log" not in path.parts
        }


@dataclass(frozen=True)
class Quality:
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def pairs(groups: Iterable[Hashable]) -> int:
    return sum(size * (size - 1) // 2 for size in Counter(groups).values())


def quality(region: Region, truth: dict[str, str]) -> Quality:
    """Pairwise precision and recall; `truth` names the entity of every ``site/local_id``."""
    both = [(truth[record], person) for record, person in region.persons().items()]
    right, found, true = pairs(both), pairs(p for _, p in both), pairs(t for t, _ in both)
    return Quality(right / found, right / true)


def resident_id(first_seventeen: str) -> str:
    """A valid resident identity number."""
    total = sum(int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True))
    return first_seventeen + "10X98765432"[total % 11]


def patient(local_id: str, family: str, given: str, birth: str, **more: Any) -> dict[str, Any]:
    """A Patient; `more` may hold gender, national_id, phone, line, city, postal."""
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "id": local_id,
        "name": [{"family": family, "given": [given]} if given else {"family": family}],
    }
    if birth:
        resource["birthDate"] = birth
    if "gender" in more:
        resource["gender"] = more["gender"]
    if "national_id" in more:
        resource["identifier"] = [{"type": {"coding": [{"code": "NI"}]}, "value": more["national_id"]}]
    if "phone" in more:
        resource["telecom"] = [{"system": "phone", "value": more["phone"]}]
    if "line" in more:
        resource["address"] = [{"line": [more["line"]], "city": more.get("city"), "postalCode": more.get("postal")}]
    return resource


def febrl(folder: Path, number: int) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """FEBRL rows as Patients of the site ``febrl``, and the truth."""
    patients, truth = [], {}
    with (folder / f"dataset{number}.csv").open(newline="") as file:
        for raw in csv.DictReader(file, skipinitialspace=True):
            row = {name.strip(): (value or "").strip() for name, value in raw.items()}
            patients.append(_febrl_patient(row))
            truth[f"febrl/{row['rec_id']}"] = row["rec_id"].split("-")[1]
    return patients, truth


def _febrl_patient(row: dict[str, str]) -> dict[str, Any]:
    resource: dict[str, Any] = {"resourceType": "Patient", "id": row["rec_id"]}
    name: dict[str, Any] = {"family": row["surname"]} if row["surname"] else {}
    if row["given_name"]:
        name["given"] = [row["given_name"]]
    if name:
        resource["name"] = [name]
    if row["soc_sec_id"]:
        resource["identifier"] = [{"type": {"coding": [{"code": "SS"}]}, "value": row["soc_sec_id"]}]
    born = row["date_of_birth"]
    if len(born) == 8:
        resource["birthDate"] = f"{born[:4]}-{born[4:6]}-{born[6:]}"
    line = " ".join(filter(None, (row["street_number"], row["address_1"], row["address_2"])))
    address = {"city": row["suburb"], "postalCode": row["postcode"], "state": row["state"]}
    filled: dict[str, Any] = {name: value for name, value in address.items() if value}
    if line:
        filled["line"] = [line]
    if filled:
        resource["address"] = [filled]
    return resource


def fake_1000(folder: Path) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Splink's fake_1000 as Patients of the site ``fake``, and the truth."""
    patients, truth = [], {}
    with (folder / "fake_1000.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            resource: dict[str, Any] = {"resourceType": "Patient", "id": row["unique_id"]}
            name: dict[str, Any] = {"family": row["surname"]} if row["surname"] else {}
            if row["first_name"]:
                name["given"] = [row["first_name"]]
            if name:
                resource["name"] = [name]
            if row["dob"]:
                resource["birthDate"] = row["dob"]
            if row["city"]:
                resource["address"] = [{"city": row["city"]}]
            if row["email"]:
                resource["telecom"] = [{"system": "email", "value": row["email"]}]
            patients.append(resource)
            truth[f"fake/{row['unique_id']}"] = row["cluster"]
    return patients, truth
