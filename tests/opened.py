"""A region opened for what lies behind its doors: no decision is asked for, so commands never go this way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.wiring import assemble, init_region

if TYPE_CHECKING:
    from xinglin.admission import Stores

__all__ = ["opened"]


def opened(home: Path, *, create: bool = False) -> Stores:
    """The region at `home` with a permit for everything.

    Args:
        home: Its folder.
        create: Make an empty region when there is none.
    """
    return assemble(init_region(home) if create else Settings.load(home), OPEN)
