"""The order of the stages, and the questions people ask across them.

Only this package knows that ingest comes before link and link before the mart; the stages themselves meet in tables.
"""

from xinglin.flows.stores import Progress, Stores

__all__ = ["Progress", "Stores"]
