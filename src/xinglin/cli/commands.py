"""All commands, in the order in which a newcomer meets them."""

from xinglin.cli import (
    backup,
    consortium,
    extract,
    identity,
    job,
    ledger,
    listen,
    mart,
    messages,
    region,
    site,
    source,
    spark,
    sql,
    stages,
    view,
)
from xinglin.cli.app import app

__all__ = [
    "app",
    "backup",
    "consortium",
    "extract",
    "identity",
    "job",
    "ledger",
    "listen",
    "mart",
    "messages",
    "region",
    "site",
    "source",
    "spark",
    "sql",
    "stages",
    "view",
]
