"""What a flow works on: one region's settings, landing and lake, and the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xinglin.core.clock import Clock
from xinglin.core.settings import Settings

if TYPE_CHECKING:
    from xinglin.lake import Lake
    from xinglin.landing import Landing

__all__ = ["Progress", "Stores"]

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, the work done and the work in all."""


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
