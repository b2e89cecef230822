"""Where a region lives on disk and how much of the machine it may use."""

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

__all__ = ["AccessSettings", "LakeSettings", "LedgerSettings", "RunnerSettings", "Settings", "default_home"]

_NAMES = {"buckets", "threads", "memory_mb", "upper", "lower"}


def default_home() -> Path:
    """XINGLIN_HOME, or ``xinglin-home`` in the current folder."""
    return Path(os.environ.get("XINGLIN_HOME") or "xinglin-home").absolute()


@dataclass(frozen=True)
class RunnerSettings:
    """Where tasks happen.

    Args:
        kind: ``local``, this machine's cores, or ``spark``.
        master: Spark's master URL: ``local[*]``, ``spark://host:port``, ``yarn`` or ``k8s://…``.
        conf: Further settings of Spark, by name.

    Example:
        >>> RunnerSettings.from_toml({"kind": "spark", "conf": {"spark.executor.memory": "2g"}}).conf
        (('spark.executor.memory', '2g'),)
    """

    kind: str = "local"
    master: str = "local[*]"
    conf: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in {"local", "spark"}:
            raise UsageError("a runner is local or spark", source=self.kind)

    @classmethod
    def from_toml(cls, values: dict[str, Any]) -> RunnerSettings:
        """The table ``[runner]`` of ``xinglin.toml``.

        Raises:
            UsageError: It holds something else.
        """
        known = dict(values)
        conf = tuple(sorted((name, str(value)) for name, value in known.pop("conf", {}).items()))
        if set(known) - {"kind", "master"}:
            raise UsageError(f"unknown settings {sorted(set(known) - {'kind', 'master'})}", source="[runner]")
        return cls(**known, conf=conf)

    def to_toml(self) -> str:
        """The reverse of `from_toml`; nothing for the runner that is used when none is named."""
        if self == RunnerSettings():
            return ""
        lines = ["", "[runner]", f"kind = {json.dumps(self.kind)}", f"master = {json.dumps(self.master)}"]
        if self.conf:
            lines += ["", "[runner.conf]", *(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in self.conf)]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class LakeSettings:
    """Where the tables are. Endpoint and keys of an object store are no settings: see docs/how-to/run/storage.md.

    Args:
        url: ``s3://bucket/prefix`` or ``hdfs://namenode:8020/folder``; the folder ``lake`` of the region when empty.
        cache_mb: Room on this machine for copies of the tables of a lake elsewhere, in MB (1,000,000 bytes).

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
                "a lake's URL holds no user and no key",
                source=f"{place.scheme}:",
                remedy="put keys into the environment or into keys/lake.toml",
            )
        if self.url and place.scheme not in {"file", "hdfs", "s3"}:
            raise UsageError("a lake's URL begins with s3:, hdfs: or file:", source=self.url)

    @classmethod
    def from_toml(cls, values: dict[str, Any]) -> LakeSettings:
        """The table ``[lake]`` of ``xinglin.toml``.

        Raises:
            UsageError: It holds something else.
        """
        if set(values) - {"url", "cache_mb"}:
            raise UsageError(f"unknown settings {sorted(set(values) - {'url', 'cache_mb'})}", source="[lake]")
        return cls(**values)

    def to_toml(self) -> str:
        """The reverse of `from_toml`; nothing for the lake that is used when none is named."""
        if self == LakeSettings():
            return ""
        return f"\n[lake]\nurl = {json.dumps(self.url)}\ncache_mb = {self.cache_mb}\n"


@dataclass(frozen=True)
class LedgerSettings:
    """Which ledger the region writes to.

    Args:
        kind: ``embedded``, a ledger of this region alone, or ``cometbft``, one that several institutions hold.
        rpc: ``http://host:port`` of the region's own node.
        socket: Where node and application meet; inside the region's home when empty.
        states: The states of so many last blocks stay provable, at least two; nodes that only older ones need are
            deleted as blocks follow.

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
            raise UsageError("a ledger is embedded or cometbft", source=self.kind)
        if type(self.states) is not int or self.states < 2:
            raise UsageError("at least the states of two blocks are kept", source="[ledger] states")

    @classmethod
    def from_toml(cls, values: dict[str, Any]) -> LedgerSettings:
        """The table ``[ledger]`` of ``xinglin.toml``.

        Raises:
            UsageError: It holds something else.
        """
        unknown = set(values) - {"kind", "rpc", "socket", "states"}
        if unknown:
            raise UsageError(f"unknown settings {sorted(unknown)}", source="[ledger]")
        return cls(**values)

    def to_toml(self) -> str:
        """The reverse of `from_toml`; nothing for the ledger that is used when none is named."""
        if self == LedgerSettings():
            return ""
        lines = [f"{name} = {json.dumps(getattr(self, name))}" for name in ("kind", "rpc", "socket", "states")]
        return "\n".join(["", "[ledger]", *lines]) + "\n"


@dataclass(frozen=True)
class AccessSettings:
    """What the region decides about access where neither law nor person does.

    Args:
        research: ``opt-out``: population research leaves out who denied it; ``opt-in``: it reads only who granted it.
        referral_days: Days for which a referral (`xinglin access relate`) lets an institution read a person's record.

    Example:
        >>> AccessSettings.from_toml({"research": "opt-in"}).referral_days
        90
    """

    research: str = "opt-out"
    referral_days: int = 90

    def __post_init__(self) -> None:
        if self.research not in {"opt-out", "opt-in"}:
            raise UsageError("research is opt-out or opt-in", source=self.research)
        if self.referral_days < 1:
            raise UsageError("a referral counts for a day or more", source="referral_days")

    @classmethod
    def from_toml(cls, values: dict[str, Any]) -> AccessSettings:
        """The table ``[access]`` of ``xinglin.toml``.

        Raises:
            UsageError: It holds something else.
        """
        unknown = set(values) - {"research", "referral_days"}
        if unknown:
            raise UsageError(f"unknown settings {sorted(unknown)}", source="[access]")
        return cls(**values)

    def to_toml(self) -> str:
        """The reverse of `from_toml`; nothing where nothing was decided."""
        if self == AccessSettings():
            return ""
        return f"\n[access]\nresearch = {json.dumps(self.research)}\nreferral_days = {self.referral_days}\n"


@dataclass(frozen=True)
class Settings:
    """Everything a region needs to know about itself.

    Args:
        home: The folder that holds keys, landing and lake.
        buckets: Number of person buckets; fixed at `init`, since every mart file depends on it.
        threads: Tasks that run at once.
        memory_mb: Memory that the query engine of one process may use, in MB (1,000,000 bytes).
        upper: Match probability from which two patient records are linked without asking.
        lower: Match probability from which a pair waits for review.
        runner: Where tasks happen.
        storage: Where the tables are.
        ledger: Which ledger is written to.
        access: What is decided about access.
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

    def __post_init__(self) -> None:
        if not 1 <= self.buckets <= 4096:
            raise UsageError("the number of person buckets must lie between 1 and 4096", source="buckets")
        if not 0 < self.lower <= self.upper <= 1:
            raise UsageError("thresholds must satisfy 0 < lower <= upper <= 1", source="lower, upper")

    @property
    def workers(self) -> int:
        """Tasks at once: `threads`, or every core this process may use."""
        return self.threads or len(os.sched_getaffinity(0))

    @property
    def landing(self) -> Path:
        """The folder of signed batches."""
        return self.home / "landing"

    @property
    def lake(self) -> Path:
        """The folder of tables; of a lake elsewhere, its locks, unfinished files and copies."""
        return self.home / "lake"

    @property
    def keys(self) -> Path:
        """The folder of private keys (mode 700)."""
        return self.home / "keys"

    @property
    def access_folder(self) -> Path:
        """The folder of credentials' issuers, consents and the audit log (mode 700)."""
        return self.home / "access"

    def save(self) -> None:
        """Write ``xinglin.toml`` into the home folder."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = (
            "# Settings of this region. `buckets` cannot change once a mart was built.\n"
            f"buckets = {self.buckets}\nthreads = {self.threads}\nmemory_mb = {self.memory_mb}\n"
            f"upper = {self.upper}\nlower = {self.lower}\n"
            f"{self.storage.to_toml()}{self.ledger.to_toml()}{self.access.to_toml()}{self.runner.to_toml()}"
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
            raise NotFound("there is no region here", source=str(home), remedy=f"run: xinglin init {home}")
        values = tomllib.loads(path.read_text())
        runner = RunnerSettings.from_toml(values.pop("runner", {}))
        storage = LakeSettings.from_toml(values.pop("lake", {}))
        ledger = LedgerSettings.from_toml(values.pop("ledger", {}))
        access = AccessSettings.from_toml(values.pop("access", {}))
        unknown = set(values) - _NAMES
        if unknown:
            raise UsageError(f"unknown settings {sorted(unknown)}", source=str(path), remedy="remove them")
        return cls(home=home, runner=runner, storage=storage, ledger=ledger, access=access, **values)
