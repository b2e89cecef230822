"""The settings reference: every key of ``xinglin.toml`` with type, unit, default and meaning, read from the classes.

``python -m tools.settings_reference`` prints it.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
from typing import Any

from xinglin.core.settings import AccessSettings, LakeSettings, LedgerSettings, RunnerSettings, Settings

__all__ = ["keys", "settings_reference"]

_TABLES: dict[str, type] = {
    "": Settings,
    "runner": RunnerSettings,
    "lake": LakeSettings,
    "ledger": LedgerSettings,
    "access": AccessSettings,
}
_NOT_KEYS = {"home", "runner", "storage", "ledger", "access", "waivers"}
"""Fields of `Settings` that are the folder itself or a table of their own."""

_UNITS = {
    "buckets": "buckets, 1 to 4,096",
    "threads": "tasks; 0: one per core",
    "memory_mb": "MB (1,000,000 bytes)",
    "upper": "probability, 0 to 1",
    "lower": "probability, 0 to 1",
    "runner.kind": "`local` or `spark`",
    "runner.master": "URL",
    "runner.conf": "table of text by name",
    "lake.url": "URL",
    "lake.cache_mb": "MB (1,000,000 bytes)",
    "ledger.kind": "`embedded` or `cometbft`",
    "ledger.rpc": "URL",
    "ledger.socket": "path",
    "ledger.states": "blocks, at least 2",
    "access.research": "`opt-out` or `opt-in`",
    "access.referral_days": "days, at least 1",
}
_TYPES = {"int": "integer", "float": "decimal", "str": "text", "tuple[tuple[str, str], ...]": "table"}

_OPENING = """# Settings

The settings of a region are in `xinglin.toml` in its folder. `xinglin init` writes the file; edit it with any editor.
A key that does not exist is an error, so a spelling mistake is never ignored. Changes take effect with the next
command; restart `listen`, `spark thrift` and `ledger start`.

Generated from `src/xinglin/core/settings.py` by `make docs`.
"""

_CLOSING = """## `[[waivers]]`

One table for each quality check whose threshold is raised for a time; `xinglin mart waive` adds one. `xinglin mart check`
shows them. A check that blocks cannot be waived, and a waiver that has expired has no effect.

| key | type | unit or values | meaning |
|---|---|---|---|
| `check` | text | name of a check | Name of the check as `xinglin mart check` prints it. |
| `threshold` | decimal | share, 0 to 1 | Largest share of failing rows that is accepted. |
| `by` | text | name | Name of the person who accepts it. |
| `until` | date | day | Last day on which it counts. |
| `why` | text | | The reason. |

## A complete example

```toml
buckets = 32
threads = 8
memory_mb = 4000
upper = 0.95
lower = 0.50

[lake]
url = "s3://bucket/lake"
cache_mb = 50000

[ledger]
kind = "cometbft"
rpc = "http://127.0.0.1:26657"
states = 64

[access]
research = "opt-in"
referral_days = 30

[runner]
kind = "spark"
master = "spark://head-1:7077"

[runner.conf]
"spark.executor.memory" = "2g"

[[waivers]]
check = "plausibleValueLow.cost.total_paid"
threshold = 0.02
by = "Data steward"
until = 2027-01-31
why = "Refunds are negative payments"
```

## Secrets

Keys and passwords are never in `xinglin.toml`.

| file in the region's folder | contains |
|---|---|
| `keys/lake.toml` | endpoint and keys of the object store that holds the lake; see [Storage](../how-to/run/storage.md) |
| `keys/backup-store.toml` | endpoint and keys of the object store that holds the backups; see [Backup](../how-to/run/backup.md) |

Both need mode 600.

## Environment variables

| variable | meaning |
|---|---|
| `XINGLIN_HOME` | folder of the region, where `--home` is not given |
| `XINGLIN_ACTOR` | file of the credential, where `--as` is not given |
| `XINGLIN_CACHE` | folder for the CometBFT program; default: `xinglin` in the user's cache folder |
| `XINGLIN_COMETBFT` | release of CometBFT to build |
| `JAVA_HOME`, `PYSPARK_PYTHON` | Java and Python for [Spark](../how-to/run/spark.md) |
| `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL` | S3, where `keys/lake.toml` does not exist |
| `HADOOP_USER_NAME`, `HADOOP_CONF_DIR` | HDFS |
"""  # noqa: E501


def keys() -> dict[str, tuple[str, str, str]]:
    """Every key with its table, and its type, default and meaning.

    Example:
        >>> keys()["ledger.states"][:2]
        ('integer', '64')
    """
    found = {}
    for table, settings in _TABLES.items():
        meanings = _meanings(settings)
        for field in dataclasses.fields(settings):
            if not (table == "" and field.name in _NOT_KEYS):
                name = f"{table}.{field.name}".lstrip(".")
                found[name] = (_TYPES[str(field.type)], _default(field.default), meanings[field.name])
    return found


def settings_reference() -> str:
    """The whole page as Markdown.

    Raises:
        KeyError: A key has no unit or range in this module, or no meaning in the docstring of its class.
    """
    parts = [_OPENING]
    for table in _TABLES:
        title = f"## `[{table}]`\n" if table else "## At the top of the file\n"
        rows = [
            f"| `{name.rpartition('.')[2]}` | {kind} | {_UNITS[name]} | {default} | {meaning} |"
            for name, (kind, default, meaning) in keys().items()
            if name.rpartition(".")[0] == table
        ]
        header = ["| key | type | unit or values | default | meaning |", "|---|---|---|---|---|"]
        parts.append("\n".join([title, *header, *rows, ""]))
    return "\n".join([*parts, _CLOSING])


def _default(value: Any) -> str:
    if value == "":
        return "empty"
    return "empty" if value == () else f"`{json.dumps(value)}`"


def _meanings(settings: type) -> dict[str, str]:
    """The section Args of a class's docstring, by name."""
    section = re.search(r"^Args:\n(.*?)(?:^\S|\Z)", inspect.getdoc(settings) or "", re.MULTILINE | re.DOTALL)
    entries = re.split(r"^    (?=\w+: )", section[1] if section else "", flags=re.MULTILINE)
    pairs = (entry.partition(": ") for entry in entries if entry.strip())
    return {name: " ".join(text.split()).replace("``", "`") for name, _, text in pairs}


if __name__ == "__main__":
    sys.stdout.write(settings_reference())
