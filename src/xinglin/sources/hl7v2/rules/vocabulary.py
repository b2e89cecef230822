"""Codes, units and the names of systems: the tables of the mapping as look-ups."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any
from urllib.parse import quote

import orjson

from xinglin.core.errors import UsageError
from xinglin.sources.hl7v2.rules.primitives import text_of
from xinglin.sources.hl7v2.rules.quantities import quantity, reference_range

__all__ = ["Vocabulary"]

_UCUM = "http://unitsofmeasure.org"


class Vocabulary:
    """Look-ups of one mapping.

    Args:
        mapping: The whole mapping, checked.
    """

    def __init__(self, mapping: dict[str, Any]) -> None:
        self.tables: dict[str, dict[str, Any]] = mapping["tables"]
        self.systems = {name.upper(): uri for name, uri in mapping["systems"].items()}
        self.authorities: dict[str, str] = mapping.get("authorities") or {}
        self.units: dict[str, str] = mapping["units"]
        self.unit = lru_cache(maxsize=4_096)(self._unit)
        self.system = lru_cache(maxsize=4_096)(self._system)
        self.authority = lru_cache(maxsize=4_096)(self._authority)

    def table(self, name: str, where: str) -> Callable[[str], str]:
        """From a code to the JSON that the table has for it; ``*`` of a table is for all others.

        Raises:
            UsageError: There is no such table.
        """
        if name not in self.tables:
            raise UsageError(
                f"the mapping names a table that is not there at {where}: {name!r}", remedy="add it to tables"
            )
        found = {
            str(code).upper(): "" if target == "" else orjson.dumps(target).decode()
            for code, target in self.tables[name].items()
        }
        other = found.get("*", "")
        return lambda code: found.get(code.upper(), other) if code else ""

    def converter(self, name: str) -> Callable[[str, str], str] | None:
        """Types that need the tables: the names that README.md lists."""
        if name == "CodingSystem":
            return lambda raw, zone: self.system(raw)
        if name == "UnitCode":
            return lambda raw, zone: _member(self.unit(raw), '"code":')
        if name == "UnitSystem":
            return lambda raw, zone: f'"{_UCUM}"' if '"code":' in self.unit(raw) else ""
        if name in ("Authority", "Endpoint"):
            return lambda raw, zone: self.authority(raw)
        if name == "EntityAuthority":  # EI: name, universal id and kind stand beside the identifier
            return lambda raw, zone: self.authority("^".join(raw.split("^", 60)[1:4]))
        if name == "Quantity":
            return lambda raw, zone: quantity(raw, "^".join(raw.split("^", 60)[1:]).replace("&", "^"), self.unit)
        if name == "ReferenceRange":
            return lambda raw, zone: reference_range(raw, "", self.unit)
        return None

    def _system(self, raw: str) -> str:
        """The URI of a coding system's name (HL7 table 0396), in quotes."""
        name = text_of(raw).upper()
        if not name:
            return ""
        known = self.systems.get(name)
        if known is None and name.startswith("HL7") and name[3:].isdigit():
            known = f"http://terminology.hl7.org/CodeSystem/v2-{name[3:].zfill(4)}"
        elif known is None and name.replace(".", "").isdigit() and name.count(".") > 2:
            known = self.systems.get(f"URN:OID:{name}", f"urn:oid:{name}")
        if known is None:
            local = name == "L" or name.startswith("99")
            known = f"urn:xinglin:{'local' if local else 'coding-system'}:{quote(name.lower(), safe='')}"
        return encode_basestring(known)

    def _authority(self, raw: str) -> str:
        """The URI of an assigning authority (HD), in quotes."""
        name, universal, kind = ([text_of(part) for part in raw.replace("&", "^").split("^")] + ["", "", ""])[:3]
        for known in (name, universal):
            if known in self.authorities:
                return encode_basestring(self.authorities[known])
        if universal and (kind == "ISO" or (universal[0] in "012" and universal.replace(".", "").isdigit())):
            return encode_basestring(f"urn:oid:{universal}")
        if universal and kind in ("UUID", "GUID"):
            return encode_basestring(f"urn:uuid:{universal.lower()}")
        if universal and kind == "URI":
            return encode_basestring(universal)
        if not name and not universal:
            return ""
        return encode_basestring(f"urn:xinglin:authority:{quote(name or universal, safe='')}")

    def _unit(self, raw: str) -> str:
        """The unit members of a Quantity from a CWE or a plain text: with a UCUM code where it is known."""
        code, text, system = ([text_of(part) for part in raw.split("^")] + ["", "", ""])[:3]
        shown = text or code
        if not shown:
            return ""
        ucum = self.units.get(code) or self.units.get(code.lower()) or self.units.get(text) or ""
        if system.upper() in ("UCUM", "UCUM-PATTERN", "ISO+", "ISO") and code and " " not in code:
            ucum = ucum or (code if system.upper().startswith("UCUM") else "")
        if not ucum:
            return f',"unit":{encode_basestring(shown)}'
        return f',"unit":{encode_basestring(shown)},"system":"{_UCUM}","code":{encode_basestring(ucum)}'


def _member(members: str, name: str) -> str:
    """The last of some JSON members, by its name."""
    return members.partition(name)[2]
