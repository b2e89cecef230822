"""From a URL to the adapter that speaks its scheme."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from xinglin.core.errors import UsageError
from xinglin.lake.storage.cache import Cache
from xinglin.lake.storage.folder import Folder
from xinglin.lake.storage.port import Objects, Storage
from xinglin.lake.storage.remote import Remote

__all__ = ["Local", "open_storage"]


@dataclass(frozen=True)
class Local:
    """What a lake elsewhere needs on this machine.

    Args:
        work: Folder for locks, unfinished files and copies; a folder for temporary files when not given.
        secrets: TOML file of mode 600 with endpoint and keys of an object store; the environment when not given.
        cache_mb: Size of the copies, in MB (1,000,000 bytes).
    """

    work: Path | None = None
    secrets: Path | None = None
    cache_mb: int = 10_000


@lru_cache(maxsize=16)
def open_storage(root: str, local: Local = Local()) -> Storage:
    """The storage at a folder or URL; one and the same for the same arguments in a process.

    Args:
        root: A path, or ``file:///folder``, ``hdfs://namenode:8020/folder`` or ``s3://bucket/prefix``.
        local: What a lake elsewhere needs here.

    Raises:
        UsageError: The scheme is none of these, or its package is not installed.

    Example:
        >>> open_storage("file:///srv/lake").url
        '/srv/lake'
    """
    url = urlsplit(root)
    if url.scheme in {"", "file"}:
        return Folder(Path(unquote(url.path) if url.scheme else root))
    work = local.work or Path(tempfile.gettempdir(), "xinglin-lake")
    return Remote(_objects(root, url.scheme, local), work, Cache(work / "_cache", local.cache_mb * 1_000_000))


def _objects(root: str, scheme: str, local: Local) -> Objects:
    try:
        if scheme == "s3":
            from xinglin.lake.storage.s3 import S3

            return S3.at(root, local.secrets)
        if scheme == "hdfs":
            from xinglin.lake.storage.hdfs import Hdfs

            return Hdfs.at(root)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"a lake at {scheme}: needs a package that is not installed",
            source=str(error.name),
            remedy=f"pip install 'xinglin[{scheme}]'",
        ) from error
    raise UsageError("a lake lies at a path, file:, hdfs: or s3: URL", source=f"{scheme}:", remedy="name one of these")
