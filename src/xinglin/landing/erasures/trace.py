"""Recognise a person in a site's records: by ids, numbers and names."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from xinglin.core.ids import omop_key
from xinglin.landing.store import Batch
from xinglin.sources import Record, Rejected
from xinglin.sources.fhir.subject import by_identifier

__all__ = ["Trace", "trace_of"]

_LONG = 6


@dataclass(frozen=True)
class Trace:
    """What identifies a person at one site.

    Args:
        keys: Keys of the person's Patient resources.
        ids: Their ids.
        numbers: Identifiers and ids that are long enough to be unique, in lower case. Telephones and addresses are not
            included: a household shares them.
        names: Pairs of family and given name, in lower case.
    """

    keys: frozenset[int]
    ids: frozenset[str]
    numbers: frozenset[bytes]
    names: frozenset[tuple[bytes, bytes]]

    def mentioned_in(self, data: bytes) -> bool:
        """Whether a record or a file name mentions the person: by a number, or by both names.

        Example:
            >>> trace = Trace(frozenset(), frozenset(), frozenset({b"mrn-100077"}), frozenset({(b"li", b"na")}))
            >>> trace.mentioned_in(b"PID|1||MRN-100077"), trace.mentioned_in(b'{"family":"Li","given":["Na"]}')
            (True, True)
            >>> trace.mentioned_in(b"Li"), trace.mentioned_in(b"MRN-1000771"), trace.mentioned_in(b"Linda, name")
            (False, False, False)
        """
        small = data.lower()
        return self.numbered(small) or any(
            family.search(small) and given.search(small) for family, given in self._names
        )

    def numbered(self, small: bytes) -> bool:
        """Whether lower-case content contains one of the person's numbers."""
        return bool(self.numbers) and self._numbers.search(small) is not None

    def owns(self, record: Record) -> bool:
        """Whether a record is about the person, or about no patient but names the person; else by `mentioned_in`."""
        found = record.found
        if isinstance(found, Rejected):
            return self.mentioned_in(record.raw)
        if found.patient_id is not None:
            return found.patient_id in self.ids
        return any(one in found.text for one in self.references) or any(
            one in found.text.lower() for one in self.identifiers
        )

    def suspected(self, data: bytes) -> bool:
        """Whether bytes may mention the person; fast, with false positives but no false negatives."""
        small = data.lower()
        return any(one in small for one in self._looked_for)

    @cached_property
    def references(self) -> tuple[bytes, ...]:
        """How a resource names the person by reference."""
        return tuple(f'Patient/{one}"'.encode() for one in sorted(self.ids))

    @cached_property
    def identifiers(self) -> tuple[bytes, ...]:
        """How a lower-case resource names the person by an identifier: ``Patient?identifier=system|value``."""
        return tuple(b"|" + one + b'"' for one in sorted(self.numbers))

    @cached_property
    def _looked_for(self) -> tuple[bytes, ...]:
        return (*sorted(self.numbers), *(f"patient/{one}".lower().encode() for one in sorted(self.ids)))

    @cached_property
    def _numbers(self) -> re.Pattern[bytes]:
        return re.compile(b"|".join(map(_word, sorted(self.numbers))))

    @cached_property
    def _names(self) -> list[tuple[re.Pattern[bytes], re.Pattern[bytes]]]:
        return [(re.compile(_word(family)), re.compile(_word(given))) for family, given in sorted(self.names)]


def _word(text: bytes) -> bytes:
    """A pattern for the text as a whole word; Chinese names are matched anywhere, since they have no spaces."""
    return rb"(?<![a-z0-9])" + re.escape(text) + rb"(?![a-z0-9])" if text.isascii() else re.escape(text)


def trace_of(batches: Iterable[Batch], keys: Collection[int]) -> Trace:
    """Collect what identifies a person from all versions of the person's Patient resources.

    Args:
        batches: Batches of one site.
        keys: Keys of the Patient resources.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    ids: set[str] = set()
    named: set[str] = set()
    known = set(keys)
    numbers: set[bytes] = set()
    names: set[tuple[bytes, bytes]] = set()
    for batch in batches:
        for file in batch.files("Patient"):
            table = pq.read_table(file.path, columns=["key", "resource_id", "resource"])
            mine = table.filter(pc.is_in(table["key"], value_set=_array(keys)))
            for resource_id, text in zip(mine["resource_id"].to_pylist(), mine["resource"].to_pylist(), strict=True):
                ids.add(resource_id)
                patient = json.loads(text)
                _learn(patient, numbers, names)
                found = _named_by(patient)
                named |= found
                known |= {omop_key(batch.site, "Patient", one) for one in found}
    numbers |= {one.lower().encode() for one in ids if len(one) >= _LONG}
    return Trace(frozenset(known), frozenset(ids | named), frozenset(numbers), frozenset(names))


def _named_by(patient: dict[str, Any]) -> set[str]:
    """How resources name the patient by an identifier that is long enough to be unique."""
    long = [one for one in patient.get("identifier", ()) if len(str(one.get("value", ""))) >= _LONG]
    return {name for one in long for name in (by_identifier(one), by_identifier({"value": one["value"]})) if name}


def _array(keys: Collection[int]) -> Any:
    import pyarrow as pa

    return pa.array(sorted(keys), pa.int64())


def _learn(patient: dict[str, Any], numbers: set[bytes], names: set[tuple[bytes, bytes]]) -> None:
    values = [one.get("value") for one in patient.get("identifier", ())]
    numbers |= {str(value).lower().encode() for value in values if value and len(str(value)) >= _LONG}
    for name in patient.get("name", ()):
        for given in name.get("given", ()):
            if name.get("family") and given:
                names.add((str(name["family"]).lower().encode(), str(given).lower().encode()))
