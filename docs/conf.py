"""Settings of the documentation site: `make site` builds it with Sphinx, strictly and without a network."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

project = "Xinglin"
author = "The Xinglin authors"
copyright = "The Xinglin authors. Licence: Apache-2.0"  # the name that Sphinx reads
release = re.search(r'^version = "(.+)"', (Path(__file__).parents[1] / "pyproject.toml").read_text(), re.MULTILINE)[1]

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_heading_anchors = 4
nitpicky = True
highlight_language = "none"

html_theme = "pydata_sphinx_theme"
html_title = "Xinglin"
html_static_path = ["_static"]
html_css_files = ["xinglin.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None
html_theme_options = {
    "navigation_with_keys": False,
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": False,
    "show_toc_level": 2,
}
html_sidebars = {"index": [], "architecture": [], "style": [], "changes": [], "benchmarks": []}

_LOADED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"(?:https?:)?//[^\"]*\"")


def refuse_remote_files(app: Sphinx, exception: Exception | None) -> None:
    """End the build if a page loads a script, style, font or picture from another host.

    Raises:
        SphinxError: The first such page and what it loads.
    """
    if exception is not None or app.builder.name != "html":
        return
    for page in sorted(Path(app.outdir).rglob("*.html")):
        if found := _LOADED.search(page.read_text(encoding="utf-8")):
            raise SphinxError(f"{page.name} loads a file from another host: {found[0]}")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the check for files from other hosts."""
    app.connect("build-finished", refuse_remote_files)
    return {"parallel_read_safe": True}
