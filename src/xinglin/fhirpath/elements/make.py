"""Make ``r4.json`` from the parsed FHIR R4 (4.0.1) definitions in the npm package ``fhir``.

Run in an empty folder::

    npm pack fhir@4.12.0 && tar xzf fhir-4.12.0.tgz package/profiles/types.json
    python -m xinglin.fhirpath.elements.make package/profiles/types.json

A line of the result is one structure: ``!`` before a resource's elements, ``name:Type``, ``*`` after a list,
``name[x]:Type,Type`` for a choice. Elements that all structures share (id, extension, ...) are left out;
`xinglin.fhirpath.elements.table` adds them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

__all__ = ["make"]

_EVERYWHERE = {"id", "extension", "modifierExtension"}
_RESOURCE = {"meta", "implicitRules", "language", "text", "contained"}
_SKIPPED = {"Element", "BackboneElement", "Resource", "DomainResource", "MoneyQuantity", "SimpleQuantity"}


def make(definitions: dict[str, Any]) -> dict[str, str]:
    """The table of elements.

    Args:
        definitions: The package's ``types.json``.

    Example:
        >>> part = {"_name": "x", "_type": "code", "_multiple": True}
        >>> make({"Thing": {"_kind": "resource", "_properties": [part]}})
        {'Thing': '! x:code*'}
    """
    table: dict[str, str] = {}
    for name, definition in definitions.items():
        if name not in _SKIPPED and definition.get("_kind") != "primitive-type":
            resource = definition["_kind"] == "resource"
            _structure(name, definition["_properties"], resource, table)
    return {name: table[name] for name in sorted(table)}


def _structure(name: str, properties: list[dict[str, Any]], resource: bool, table: dict[str, str]) -> None:
    words: dict[str, str] = {"": "!"} if resource else {}
    choices: dict[str, list[str]] = {}
    for element in properties:
        key, kind = element["_name"], element["_type"]
        if key.startswith("_") or key in _EVERYWHERE or (resource and key in _RESOURCE):
            continue
        if base := element.get("_choice", "").removesuffix("[x]"):
            choices.setdefault(base, []).append(kind)
            words[base] = f"{base}[x]:{','.join(choices[base])}"
            continue
        if element.get("_properties"):
            _structure(f"{name}.{key}", element["_properties"], False, table)
            kind = f"{name}.{key}"
        words[key] = f"{key}:{kind.removeprefix('#')}{'*' if element['_multiple'] else ''}"
    table[name] = " ".join(words.values())


if __name__ == "__main__":
    content = make(json.loads(Path(sys.argv[1]).read_text()))
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(line)}" for name, line in content.items())
    Path(__file__).with_name("r4.json").write_text("{\n" + lines + "\n}\n")
