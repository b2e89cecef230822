"""What a flow works on: one region's settings, landing and lake, and the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xinglin.core.clock import Clock
from xinglin.core.progress import Progress
from xinglin.core.settings import Settings

if TYPE_CHECKING:
    from xinglin.lake import Lake
    from xinglin.landing import Landing

__all__ = ["Progress", "Stores"]


@dataclass(frozen=True)
class Stores:
    """One region, opened.

    Args:
        settings: Where it lives and what it may use.
        landing: Its signed batches.
        lake: Its tables.
        clock: What time it is.
    """

    settings: Settings
    landing: Landing
    lake: Lake
    clock: Clock
