"""YAML in which every scalar is the text that stands there, and the line of every place in it.

A mapping file is full of words that YAML would take for something else: ``null:``, ``no``, ``0123``, ``271649006``,
``2024-01-01``. Here they all stay text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xinglin.core.errors import BadInput

__all__ = ["Path", "Source", "parse"]

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Source:
    """A parsed YAML text.

    Args:
        content: Dicts, lists and texts.
        lines: Line of each place, from 1.
    """

    content: Any
    lines: dict[Path, int]

    def where(self, path: Path) -> str:
        """A place as a reader finds it.

        Example:
            >>> parse("a:\\n  - b: 1\\n").where(("a", 0, "b"))
            'line 2, a[0].b'
        """
        known = path
        while known not in self.lines:
            known = known[:-1]
        shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
        return f"line {self.lines[known]}, {shown}" if shown else f"line {self.lines[known]}"


def parse(text: str) -> Source:
    """Read YAML.

    Raises:
        BadInput: It is not YAML, has a key twice, or refers to itself.

    Example:
        >>> parse("null: [NA, 007]").content
        {'null': ['NA', '007']}
    """
    import yaml

    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        node = yaml.compose(text, loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "unreadable"
        raise BadInput(f"the mapping is not YAML: {problem}", source=where, remedy="mend the text there") from None
    except RecursionError:
        raise BadInput("the mapping is nested too deeply", remedy="take levels away") from None
    lines: dict[Path, int] = {(): 1}
    return Source(_value(node, (), lines), lines)


_DEEPEST = 60
_PLACES = 2_000_000


def _value(node: Any, path: Path, lines: dict[Path, int]) -> Any:
    if node is None:
        return None
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if len(path) > _DEEPEST or len(lines) > _PLACES:
        raise BadInput("the mapping refers to itself or is too large", source=f"line {line}", remedy="write it out")
    if node.id == "scalar":
        return node.value
    if node.id == "sequence":
        return [_value(child, (*path, number), lines) for number, child in enumerate(node.value)]
    found: dict[str, Any] = {}
    for key, child in node.value:
        if key.id != "scalar":
            raise BadInput(
                "a key has to be a word", source=f"line {key.start_mark.line + 1}", remedy="put it in quotes"
            )
        if key.value in found:
            where = f"line {key.start_mark.line + 1}"
            raise BadInput(f"the key {key.value} stands twice", source=where, remedy="keep one of the two")
        lines[(*path, key.value)] = key.start_mark.line + 1
        found[key.value] = _value(child, (*path, key.value), lines)
    return found
