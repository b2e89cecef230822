"""The composition root: settings become the adapters that the flows work with."""

from __future__ import annotations

from pathlib import Path

from xinglin.core.clock import Clock, system_clock
from xinglin.core.settings import Settings, default_home
from xinglin.flows import Stores

__all__ = ["init_region", "open_region"]


def init_region(home: Path, buckets: int = 8) -> Settings:
    """Make an empty region: settings, a private folder for keys, an empty landing and lake.

    Args:
        home: Its folder; an existing region keeps its settings.
        buckets: Number of person buckets.

    Example:
        >>> import tempfile
        >>> init_region(Path(tempfile.mkdtemp()) / "region").buckets
        8
    """
    if (home / "xinglin.toml").is_file():
        return Settings.load(home)
    settings = Settings(home=home, buckets=buckets)
    settings.save()
    settings.keys.mkdir(mode=0o700, exist_ok=True)
    settings.landing.mkdir(exist_ok=True)
    settings.lake.mkdir(exist_ok=True)
    return settings


def open_region(home: Path | None = None, *, create: bool = False, clock: Clock = system_clock) -> Stores:
    """Open the region at `home`, or where XINGLIN_HOME says, or in ``./xinglin-home``.

    Args:
        home: The region's folder.
        create: Make an empty region when there is none.
        clock: What time it is.

    Raises:
        NotFound: There is no region and `create` is false.
    """
    from xinglin.lake import Lake
    from xinglin.landing import Landing

    home = (home or default_home()).absolute()
    settings = init_region(home) if create else Settings.load(home)
    return Stores(settings, Landing(settings.landing, settings.keys), Lake(settings.lake), clock)
