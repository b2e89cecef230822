"""The import graph of the packages, drawn as SVG, of the working tree or of an earlier revision.

``python -m tools.import_graph docs/images/imports-now.svg`` draws the working tree; ``--revision REV`` a revision
of the repository. Packages stand in the order of the layers of ``pyproject.toml``; imports point downwards.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

__all__ = ["Package", "Picture", "draw", "measure"]

_WIDTH, _ROW, _GAP, _LINE = 1200, 46, 34, 15


@dataclass(frozen=True)
class Package:
    """A top-level package.

    Args:
        name: Its name.
        files: Files in it and below, all kinds counted.
        widest: Files of the folder that has most.
        folders: Its sub-packages.
    """

    name: str
    files: int
    widest: int
    folders: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """What the box says: files, and the names of the sub-packages, some on each line."""
        said = [f"{self.files} files, widest folder {self.widest}"]
        names = list(self.folders)
        while names:
            line = names.pop(0)
            while names and len(line) + len(names[0]) < 34:
                line += f", {names.pop(0)}"
            said.append(line)
        return said


@dataclass(frozen=True)
class Picture:
    """What is drawn.

    Args:
        title: Above the picture.
        layers: Names of packages from the highest layer to the lowest.
        packages: By name.
        imports: Number of importing modules by (importer, imported).
    """

    title: str
    layers: tuple[tuple[str, ...], ...]
    packages: dict[str, Package]
    imports: dict[tuple[str, str], int]

    def needed(self) -> set[tuple[str, str]]:
        """Imports that no chain of other imports implies (the transitive reduction).

        Example:
            >>> Picture("", (), {}, {("a", "b"): 1, ("b", "c"): 1, ("a", "c"): 4}).needed() == {("a", "b"), ("b", "c")}
            True
        """
        below: dict[str, set[str]] = {}
        for importer, imported in self.imports:
            below.setdefault(importer, set()).add(imported)

        def reached(start: str) -> set[str]:
            found: set[str] = set()
            waiting = [start]
            while waiting:
                for name in below.get(waiting.pop(), ()):
                    if name not in found:
                        found.add(name)
                        waiting.append(name)
            return found

        return {
            (one, two) for one, two in self.imports if not any(two in reached(other) for other in below[one] - {two})
        }


def measure(tree: Path, title: str, package: str = "xinglin") -> Picture:
    """Read a source tree: layers from ``pyproject.toml``, files from ``src``, imports by grimp.

    Args:
        tree: Folder with ``pyproject.toml`` and ``src``.
        title: Title of the picture.
        package: The root package.
    """
    import grimp

    source = tree / "src"
    contracts = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    sys.path.insert(0, str(source))
    graph = grimp.build_graph(package, cache_dir=None)
    found: Counter[tuple[str, str]] = Counter()
    for module in sorted(graph.modules):
        one = _top(module)
        found.update({(one, _top(two)) for two in graph.find_modules_directly_imported_by(module) if _top(two) != one})
    places = tuple(
        tuple(
            name
            for name in (part.strip() for part in layer.split("|"))
            if (source / package / name).is_dir() or (source / package / f"{name}.py").is_file()
        )
        for layer in layers
    )
    names = [name for layer in places for name in layer]
    inside = {pair: count for pair, count in sorted(found.items()) if set(pair) <= set(names)}
    packages = {name: _package(source / package / name, name) for name in names}
    return Picture(title, tuple(layer for layer in places if layer), packages, inside)


def draw(picture: Picture) -> str:
    """The picture as SVG; the same picture gives the same text."""
    boxes, height = _places(picture)
    strong = picture.needed()
    lines = [
        _edge(boxes, pair, pair in strong) for pair in sorted(picture.imports, key=lambda pair: (pair in strong, pair))
    ]
    shapes = [_box(picture.packages[name], *place) for name, place in boxes.items()]
    total = sum(package.files for package in picture.packages.values())
    widest = max(package.widest for package in picture.packages.values())
    head = f"{picture.title}: {total} files, widest folder {widest}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif">',
            f"<title>{escape(head)}</title>",
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="20" y="28" font-size="18" fill="#1b2a35">{escape(head)}</text>',
            *lines,
            *shapes,
            "</svg>\n",
        ]
    )


def _top(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def _package(folder: Path, name: str) -> Package:
    if not folder.is_dir():
        return Package(name, 1, 1, ())
    counts = Counter(path.parent for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    below = sorted(path.name for path in folder.iterdir() if (path / "__init__.py").is_file())
    return Package(name, sum(counts.values()), max(counts.values()), tuple(below))


def _places(picture: Picture) -> tuple[dict[str, tuple[float, float, float, float]], int]:
    """Left, top, width and height of every box, and the height of the picture."""
    boxes: dict[str, tuple[float, float, float, float]] = {}
    top = 50.0
    for layer in picture.layers:
        high = max(_ROW - _LINE + _LINE * len(picture.packages[name].lines) for name in layer)
        width = min(300.0, (_WIDTH - 40 - 20 * (len(layer) - 1)) / len(layer))
        left = (_WIDTH - width * len(layer) - 20 * (len(layer) - 1)) / 2
        for place, name in enumerate(layer):
            boxes[name] = (left + place * (width + 20), top, width, high)
        top += high + _GAP
    return boxes, round(top)


def _edge(boxes: dict[str, tuple[float, float, float, float]], pair: tuple[str, str], strong: bool) -> str:
    one, two = (boxes[name] for name in pair)
    x1, y1, x2, y2 = one[0] + one[2] / 2, one[1] + one[3], two[0] + two[2] / 2, two[1]
    if y2 < y1:
        return (
            f'<path d="M{x1:.0f} {one[1]:.0f} L{x2:.0f} {two[1] + two[3]:.0f}" stroke="#c0392b" stroke-width="2" '
            'fill="none"/>'
        )
    bend = (y2 - y1) / 2
    path = f"M{x1:.0f} {y1:.0f} C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2:.0f}"
    look = 'stroke="#2f6f8f" stroke-width="1.8"' if strong else 'stroke="#b9c4cc" stroke-width="0.8"'
    return f'<path d="{path}" {look} fill="none"/>'


def _box(package: Package, left: float, top: float, width: float, high: float) -> str:
    middle = left + width / 2
    words = [
        f'<text x="{middle:.0f}" y="{top + 20:.0f}" font-size="15" font-weight="bold">{escape(package.name)}</text>'
    ]
    words += [
        f'<text x="{middle:.0f}" y="{top + 37 + _LINE * row:.0f}" font-size="11" fill="#51616c">{escape(line)}</text>'
        for row, line in enumerate(package.lines)
    ]
    shape = (
        f'<rect x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{high:.0f}" rx="6" fill="#eef5f8" '
        'stroke="#2f6f8f"/>'
    )
    return "\n".join([shape, '<g text-anchor="middle" fill="#1b2a35">', *words, "</g>"])


def _revision(name: str, repository: Path, folder: Path) -> None:
    """Unpack ``pyproject.toml`` and ``src`` of a revision."""
    archive = subprocess.run(
        ["git", "-C", str(repository), "archive", name, "pyproject.toml", "src"], check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as packed:
        packed.extractall(folder, filter="data")


def main() -> None:
    """Draw one picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="SVG file to write")
    parser.add_argument("--revision", help="revision of the repository; the working tree if none")
    parser.add_argument("--title", default="Packages and their imports")
    given = parser.parse_args()
    repository = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as folder:
        if given.revision:
            _revision(given.revision, repository, Path(folder))
        picture = measure(Path(folder) if given.revision else repository, given.title)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(draw(picture), encoding="utf-8")


if __name__ == "__main__":
    main()
