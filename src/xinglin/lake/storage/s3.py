"""A lake in an S3 bucket; its pointers are replaced by conditional writes (If-Match, If-None-Match).

Amazon S3 documents them under "conditional writes"; a store without them cannot hold a lake.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    GenericError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from xinglin.core.errors import Conflict, NotFound, StorageError, UsageError
from xinglin.lake.storage.persist import persist
from xinglin.lake.storage.port import Content, Stored

if TYPE_CHECKING:
    from obstore.store import S3Config

__all__ = ["S3", "access_options"]

_OPTIONS = (
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_region",
    "aws_endpoint_url",
)
_MANY = 500
Result = TypeVar("Result")


@dataclass(frozen=True)
class S3:
    """See `Objects`.

    Args:
        url: ``s3://bucket/prefix``.
        options: Endpoint, region and keys, as delta-rs names them.
    """

    url: str
    options: Mapping[str, str] = field(repr=False, hash=False)
    _store: Any = field(repr=False, compare=False)

    @classmethod
    def at(cls, url: str, secrets: Path | None) -> S3:
        """Open ``s3://bucket/prefix``.

        Raises:
            UsageError: The URL names no bucket, or the file of secrets can be read by others.
        """
        parts = urlsplit(url)
        if not parts.netloc:
            raise UsageError("an s3: URL names a bucket", source=url, remedy="s3://BUCKET/PREFIX")
        options = access_options(secrets, os.environ)
        plain = options["aws_endpoint_url"].startswith("http://") if "aws_endpoint_url" in options else False
        store = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config=cast("S3Config", options),
            client_options={"allow_http": plain, "timeout": "120s"},
            retry_config={"max_retries": 2},
        )
        return cls(url.rstrip("/"), options | ({"aws_allow_http": "true"} if plain else {}), store)

    def read(self, key: str) -> Content | None:
        """See `Objects.read`."""

        def get() -> Content:
            found = obstore.get(self._store, key)
            return Content(bytes(found.bytes()), str(found.meta["e_tag"]))

        try:
            return _persist(self.url, key, get)
        except FileNotFoundError:
            return None

    def replace(self, key: str, data: bytes, token: str | None) -> str:
        """See `Objects.replace`."""
        mode: Any = {"e_tag": token} if token else "create"
        try:
            return str(_persist(self.url, key, lambda: obstore.put(self._store, key, data, mode=mode))["e_tag"])
        except (AlreadyExistsError, PreconditionError, FileNotFoundError) as error:
            shown = self.read(key)
            # The store may have taken the first of two tries whose answer was lost.
            if shown is None or shown.data != data:
                raise Conflict("somebody else has written it meanwhile", source=f"{self.url}/{key}") from error
            return shown.token

    def upload(self, file: Path, key: str) -> None:
        """See `Objects.upload`; the store shows an object when all of it has arrived."""
        _persist(self.url, key, lambda: obstore.put(self._store, key, file))

    def download(self, key: str, file: Path) -> None:
        """See `Objects.download`."""

        def get() -> None:
            with file.open("wb") as target:
                for chunk in obstore.get(self._store, key):
                    target.write(chunk)

        try:
            _persist(self.url, key, get)
        except FileNotFoundError as error:
            raise _missing(self.url, key) from error

    def listing(self, prefix: str) -> Iterator[Stored]:
        """See `Objects.listing`."""
        found = _persist(self.url, prefix, lambda: obstore.list(self._store, prefix).collect())
        return (Stored(one["path"], one["size"], one["last_modified"].timestamp()) for one in found)

    def delete(self, keys: Iterable[str]) -> None:
        """See `Objects.delete`."""
        left = iter(keys)
        while some := list(islice(left, _MANY)):
            _persist(self.url, "", partial(obstore.delete, self._store, some))

    def delta(self, key: str) -> tuple[str, dict[str, str]]:
        """See `Objects.delta`."""
        return f"{self.url}/{key}", {**self.options, "aws_conditional_put": "etag"}


def access_options(secrets: Path | None, environment: Mapping[str, str]) -> dict[str, str]:
    """Endpoint, region and keys: the file's, else the environment's, by their usual AWS names.

    Raises:
        UsageError: Others than its owner can read the file, or it holds something else.

    Example:
        >>> access_options(None, {"AWS_REGION": "eu-west-1", "HOME": "/root"})
        {'aws_region': 'eu-west-1'}
    """
    found = {name: environment[name.upper()] for name in _OPTIONS if environment.get(name.upper())}
    if secrets is None or not secrets.is_file():
        return found
    if secrets.stat().st_mode & 0o077:
        raise UsageError("others can read the lake's keys", source=str(secrets), remedy=f"chmod 600 {secrets}")
    given = tomllib.loads(secrets.read_text())
    if unknown := set(given) - set(_OPTIONS):
        raise UsageError(f"unknown names {sorted(unknown)}", source=str(secrets), remedy=f"use {', '.join(_OPTIONS)}")
    return found | {name: str(value) for name, value in given.items()}


def _missing(url: str, key: str) -> NotFound:
    return NotFound(
        "a file of the lake is not there", source=f"{url}/{key}", remedy="begin again: a newer state was published"
    )


def _persist(url: str, key: str, ask: Callable[[], Result]) -> Result:
    """Ask again when the store did not answer, and turn its refusals into errors of ours.

    Raises:
        StorageError: It failed every time, or the keys are not allowed to.
    """
    refusal = StorageError(
        "the object store does not do as it was asked",
        source=f"{url}/{key}",
        remedy="look whether it answers and whether the keys may read and write there",
        retry=True,
    )
    try:
        return persist(ask, (GenericError,), (), refusal)
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise refusal from error
