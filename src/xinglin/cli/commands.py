"""All commands, in the order in which a newcomer meets them."""

from xinglin.cli import identity, listen, mart, region, site, source, sql, stages, view
from xinglin.cli.app import app

__all__ = ["app", "identity", "listen", "mart", "region", "site", "source", "sql", "stages", "view"]
