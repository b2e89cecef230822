"""Settings of a region (``xinglin.toml``): folders, resources of the machine, runner, lake, ledger and access."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from xinglin.core.errors import NotFound, UsageError
from xinglin.core.files import write_atomic
from xinglin.core.waiver import Waiver

__all__ = ["AccessSettings", "LakeSettings", "LedgerSettings", "RunnerSettings", "Settings", "default_home"]

_NAMES = {"buckets", "threads", "memory_mb", "upper", "lower"}


def default_home() -> Path:
    """XINGLIN_HOME, or ``xinglin-home`` in the current folder."""
    return Path(os.environ.get("XINGLIN_HOME") or "xinglin-home").absolute()


def _refuse_unknown(names: set[str], where: str) -> None:
    if names:
        raise UsageError(f"unknown settings: {', '.join(sorted(names))}", source=where, remedy="remove them")


@dataclass(frozen=True)
class RunnerSettings:
    """The runner that executes tasks.

    Args:
        kind: ``local`` (cores of this machine) or ``spark``.
        master: Spark's master URL: ``local[*]``, ``spark://host:port``, ``yarn`` or ``k8s://…``.
        conf: Further Spark properties, by name.

    Example:
        >>> RunnerSettings.from_toml({"kind": "spark", "conf": {"spark.executor.memory": "2g"}}).conf
        (('spark.executor.memory', '2g'),)
    """

    kind: str = "local"
    master: str = "local[*]"
    conf: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in {"local", "spark"}:
            raise UsageError(f"unknown runner {self.kind}", source="[runner] kind", remedy="write local or spark")

    @classmethod
    def from_toml(cls, values: dict[str, Any]) -> RunnerSettings:
        """The table ``[runner]`` of ``xinglin.toml``.

        Raises:
            UsageError: It has an unknown key.
        """
        known = dict(values)
        conf = tuple(sorted((name, str(value)) for name, value in known.pop("conf", {}).items()))
        _refuse_unknown(set(known) - {"kind", "master"}, "[runner]")
        return cls(**known, conf=conf)

    def to_toml(self) -> str:
        """The text of the table; empty for the default settings."""
        if self == RunnerSettings():
            return ""
        lines = ["", "[runner]", f"kind = {json.dumps(self.kind)}", f"master = {json.dumps(self.master)}"]
        if self.conf:
            lines += ["", "[runner.conf]", *(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in self.conf)]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class LakeSettings:
    """Location of the tables. Endpoint and keys of an object store are not settings: see docs/how-to/run/storage.md.

    Args:
        url: ``s3://bucket/prefix`` or ``hdfs://namenode:8020/folder``; if empty, the folder ``lake`` of the region.
        cache_mb: Size of this machine's cache for tables of a remote lake, in MB (1,000,000 bytes).

    Example:
        >>> LakeSettings.from_toml({"url": "s3://region/lake"}).url
        's3://region/lake'
    """

    url: str = ""
    cache_mb: int = 10_000

    def __post_init__(self) -> None:
        place = urlsplit(self.url)
        if "@" in place.netloc:
            raise UsageError(
                "the URL of a lake must not contain a user or a key",
                source=f"{place.scheme}:",
                remedy="put keys into environment variables or into keys/lake.toml",
            )
        if self.url and place.scheme not in {"file", "hdfs", "s3"}:
            raise UsageError("unknown scheme in the URL of the lake", source=self.url, remedy="use s3:, hdfs: or file:")

    @classmethod
    def from_toml(cls, values: dict[str, Any]) -> LakeSettings:
        """The table ``[lake]`` of ``xinglin.toml``.

        Raises:
            UsageError: It has an unknown key.
        """
        _refuse_unknown(set(values) - {"url", "cache_mb"}, "[lake]")
        return cls(**values)

    def to_toml(self) -> str:
        """The text of the table; empty for the default settings."""
        if self == LakeSettings():
            return ""
        return f"\n[lake]\nurl = {json.dumps(self.url)}\ncache_mb = {self.cache_mb}\n"


@dataclass(frozen=True)
class LedgerSettings:
    """The ledger that the region writes to.

    Args:
        kind: ``embedded`` (a ledger of this region only) or ``cometbft`` (a ledger of several institutions).
        rpc: ``http://host:port`` of the region's own node.
        socket: Unix socket between node and application; if empty, a path inside the region's folder.
        states: Number of latest blocks whose states stay provable, at least 2; tree nodes that only older states use
            are deleted as new blocks are committed.

    Example:
        >>> LedgerSettings.from_toml({"kind": "cometbft"}).rpc
        'http://127.0.0.1:26657'
    """

    kind: str = "embedded"
    rpc: str = "http://127.0.0.1:26657"
    socket: str = ""
    states: int = 64

    def __post_init__(self) -> None:
        if self.kind not in {"embedded", "cometbft"}:
            raise UsageError(f"unknown ledger {self.kind}", source="[ledger] kind", remedy="write embedded or cometbft")
        if type(self.states) is not int or self.states < 2:
            raise UsageError("too few states", source="[ledger] states", remedy="write 2 or more")

    @classmethod
    def from_toml(cls, values: dict[str, Any]) -> LedgerSettings:
        """The table ``[ledger]`` of ``xinglin.toml``.

        Raises:
            UsageError: It has an unknown key.
        """
        _refuse_unknown(set(values) - {"kind", "rpc", "socket", "states"}, "[ledger]")
        return cls(**values)

    def to_toml(self) -> str:
        """The text of the table; empty for the default settings."""
        if self == LedgerSettings():
            return ""
        lines = [f"{name} = {json.dumps(getattr(self, name))}" for name in ("kind", "rpc", "socket", "states")]
        return "\n".join(["", "[ledger]", *lines]) + "\n"


@dataclass(frozen=True)
class AccessSettings:
    """Access rules of the region that neither law nor consent determines.

    Args:
        research: ``opt-out``: population research excludes persons who denied it; ``opt-in``: it includes only persons
            who permitted it.
        referral_days: Days for which a referral (`xinglin access relate`) lets an institution read a person's record.

    Example:
        >>> AccessSettings.from_toml({"research": "opt-in"}).referral_days
        90
    """

    research: str = "opt-out"
    referral_days: int = 90

    def __post_init__(self) -> None:
        if self.research not in {"opt-out", "opt-in"}:
            raise UsageError(
                f"unknown rule {self.research}", source="[access] research", remedy="write opt-out or opt-in"
            )
        if self.referral_days < 1:
            raise UsageError("too few days", source="[access] referral_days", remedy="write 1 or more")

    @classmethod
    def from_toml(cls, values: dict[str, Any]) -> AccessSettings:
        """The table ``[access]`` of ``xinglin.toml``.

        Raises:
            UsageError: It has an unknown key.
        """
        _refuse_unknown(set(values) - {"research", "referral_days"}, "[access]")
        return cls(**values)

    def to_toml(self) -> str:
        """The text of the table; empty for the default settings."""
        if self == AccessSettings():
            return ""
        return f"\n[access]\nresearch = {json.dumps(self.research)}\nreferral_days = {self.referral_days}\n"


@dataclass(frozen=True)
class Settings:
    """All settings of a region.

    Args:
        home: The folder that holds keys, landing and lake.
        buckets: Number of person buckets; fixed at `init`, since every mart file depends on it.
        threads: Number of tasks that run at once; 0 for one per core.
        memory_mb: Memory that the query engine of one process may use, in MB (1,000,000 bytes).
        upper: Match probability from which two patient records are linked without review.
        lower: Match probability from which a pair waits for review.
        runner: The runner that executes tasks.
        storage: Location of the tables.
        ledger: The ledger that the region writes to.
        access: Access rules of the region.
        waivers: Quality checks whose threshold an operator raised for a time.
    """

    home: Path
    buckets: int = 8
    threads: int = 0
    memory_mb: int = 900
    upper: float = 0.95
    lower: float = 0.50
    runner: RunnerSettings = RunnerSettings()
    storage: LakeSettings = LakeSettings()
    ledger: LedgerSettings = LedgerSettings()
    access: AccessSettings = AccessSettings()
    waivers: tuple[Waiver, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.buckets <= 4096:
            raise UsageError("the number of person buckets is out of range", source="buckets", remedy="write 1 to 4096")
        if not 0 < self.lower <= self.upper <= 1:
            raise UsageError("wrong thresholds", source="lower, upper", remedy="make 0 < lower <= upper <= 1")

    @property
    def workers(self) -> int:
        """Number of tasks that run at once: `threads`, or the number of cores that this process may use."""
        return self.threads or len(os.sched_getaffinity(0))

    @property
    def landing(self) -> Path:
        """The folder of signed batches."""
        return self.home / "landing"

    @property
    def lake(self) -> Path:
        """The folder of tables; for a remote lake, its locks, unfinished files and cache."""
        return self.home / "lake"

    @property
    def keys(self) -> Path:
        """The folder of private keys (mode 700)."""
        return self.home / "keys"

    @property
    def access_folder(self) -> Path:
        """The folder of the list of issuers, the consents and the audit log (mode 700)."""
        return self.home / "access"

    def save(self) -> None:
        """Write ``xinglin.toml`` into the home folder."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = (
            "# Settings of this region. `buckets` cannot change after a mart was built.\n"
            f"buckets = {self.buckets}\nthreads = {self.threads}\nmemory_mb = {self.memory_mb}\n"
            f"upper = {self.upper}\nlower = {self.lower}\n"
            f"{self.storage.to_toml()}{self.ledger.to_toml()}{self.access.to_toml()}{self.runner.to_toml()}"
            f"{''.join(waiver.to_toml() for waiver in self.waivers)}"
        )
        write_atomic(self.home / "xinglin.toml", text.encode())

    @classmethod
    def load(cls, home: Path) -> Settings:
        """Read the settings of an existing region.

        Raises:
            NotFound: The folder holds no region.
        """
        path = home / "xinglin.toml"
        if not path.is_file():
            raise NotFound("no region in this folder", source=str(home), remedy=f"run: xinglin init {home}")
        values = tomllib.loads(path.read_text())
        runner = RunnerSettings.from_toml(values.pop("runner", {}))
        storage = LakeSettings.from_toml(values.pop("lake", {}))
        ledger = LedgerSettings.from_toml(values.pop("ledger", {}))
        access = AccessSettings.from_toml(values.pop("access", {}))
        waivers = tuple(Waiver.from_toml(waiver) for waiver in values.pop("waivers", []))
        _refuse_unknown(set(values) - _NAMES, str(path))
        return cls(home=home, runner=runner, storage=storage, ledger=ledger, access=access, waivers=waivers, **values)
