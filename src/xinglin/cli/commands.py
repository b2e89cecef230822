"""All commands, in the order in which a newcomer meets them."""

from xinglin.cli import ask, identity, mart, region, stages
from xinglin.cli.app import app

__all__ = ["app", "ask", "identity", "mart", "region", "stages"]
