"""A mapping file, read with the CSV files of its code lists and validated as a whole."""

from __future__ import annotations

import csv
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from xinglin.core.errors import BadInput, NotFound
from xinglin.sources.tabular.compile.resources import used_columns
from xinglin.sources.tabular.compile.scope import pieces_of
from xinglin.sources.tabular.mapping.file import Mapping, fault, parse_mapping

__all__ = ["load_mapping", "read_mapping"]

_LARGEST = 64_000_000


@lru_cache(maxsize=16)
def load_mapping(text: str) -> Mapping:
    """Read and validate a mapping file's text.

    Raises:
        BadInput: It cannot be used; the place in the text and what to do are said.

    Example:
        >>> load_mapping("tables: {t: {file: a.csv, resources: [{type: Patient, id: '{a}'}]}}")
        Traceback (most recent call last):
        ...
        xinglin.core.errors.BadInput: the mapping cannot be used: "elements" is a required property \
(line 1, tables.t.resources[0]). Fix: write it as docs/how-to/load/tables.md shows.
    """
    mapping = parse_mapping(text)
    for table in mapping.tables.values():
        used_columns(mapping, table)
    return mapping


def read_mapping(path: Path) -> str:
    """The text of a mapping file, with the entries of its CSV code lists written into it.

    Args:
        path: The file; code lists lie beside it.

    Raises:
        NotFound: It, or one of its code lists, is not there.
        BadInput: It cannot be used.
    """
    text = _text(path, "utf-8-sig")
    mapping = parse_mapping(text)
    content = mapping.source.content
    lists = {name: said for name, said in content.get("maps", {}).items() if "$file" in said}
    if lists:
        filled = {name: _code_list(mapping, path, name, said) for name, said in lists.items()}
        text = json.dumps(content | {"maps": content["maps"] | filled}, ensure_ascii=False)
    load_mapping(text)
    return text


def _text(path: Path, encoding: str) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise BadInput("the file is too large for a mapping", source=str(path), remedy="name the right file")
        return path.read_text(encoding)
    except OSError:
        raise NotFound("the file cannot be read", source=str(path), remedy="name a file that can be read") from None
    except UnicodeDecodeError:
        raise BadInput(f"the file is not {encoding}", source=str(path), remedy="save it in that encoding") from None


def _code_list(mapping: Mapping, path: Path, name: str, said: dict[str, Any]) -> dict[str, Any]:
    place = ("maps", name)
    encoding = said.get("encoding", "utf-8")
    text = _text(path.parent / said["$file"], "utf-8-sig" if encoding in ("utf-8", "auto") else encoding)
    found: dict[str, Any] = {}
    for row in csv.DictReader(text.splitlines()):
        try:
            key = row[said["key"]].strip()
            value = _filled(said["value"], row)
        except KeyError as error:
            what = f"the file has no column {error.args[0]}"
            raise fault(mapping.source, place, what, "name a column of its header") from None
        if found.setdefault(key, value) != value:
            raise fault(mapping.source, place, "a code of the file stands for two things", "keep one of the lines")
    if not found:
        raise fault(mapping.source, place, "the file has no entries", "name a CSV file with a header row")
    return found


def _filled(tree: Any, row: dict[str, str]) -> Any:
    """The value with its columns; a part of it that is empty for this code is left out."""
    if isinstance(tree, str):
        pieces = [(literal, None if name is None else (row[name] or "").strip()) for literal, name in pieces_of(tree)]
        return "" if any(value == "" for _, value in pieces) else "".join(f"{a}{b or ''}" for a, b in pieces)
    if isinstance(tree, list):
        return [made for item in tree if (made := _filled(item, row))]
    return {key: made for key, item in tree.items() if (made := _filled(item, row))}
