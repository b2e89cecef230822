"""Progress of long work, as every stage reports it."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "Steps"]

Steps = Callable[[int, int], None]
"""Called with what is done and what there is in all."""
Progress = Callable[[str, int, int], None]
"""`Steps` of several stages: called with the stage's name first."""
