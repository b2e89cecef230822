"""What lies at a target: the repository's secret for its readers, and the manifests of its backups."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from xinglin.backup.format.manifest import Manifest, repository_of
from xinglin.backup.format.sealing import Identities, Recipients
from xinglin.backup.format.target import Target
from xinglin.core.errors import BadInput, Conflict, NotFound, VerificationFailed
from xinglin.core.files import private_file

__all__ = ["Own", "backups", "choose", "keep_secret", "last", "manifest_key", "open_secret", "own", "remember"]

_LIMIT = 1 << 16


@dataclass(frozen=True)
class Own:
    """What a region knows of its backups: ``keys/backup.json``.

    Args:
        secret: Names pieces and seals manifests.
        target: Where the last backup went.
        recipients: For whom it was made.
    """

    secret: bytes
    target: str = ""
    recipients: tuple[str, ...] = ()


def own(keys: Path) -> Own:
    """What the region knows, or a new secret where it made no backup yet.

    Args:
        keys: Its folder of keys.
    """
    path = keys / "backup.json"
    if not path.is_file():
        return Own(os.urandom(32))
    values = json.loads(path.read_bytes())
    return Own(bytes.fromhex(values["secret"]), values["target"], tuple(values["recipients"]))


def remember(keys: Path, known: Own) -> None:
    """Write what the region knows; mode 600."""
    values = {"secret": known.secret.hex(), "target": known.target, "recipients": list(known.recipients)}
    private_file(keys / "backup.json", json.dumps(values, indent=1).encode() + b"\n")


def keep_secret(target: Target, secret: bytes, recipients: Recipients, work: Path) -> None:
    """Store the secret for these recipients, unless it is there.

    Raises:
        Conflict: The backups of another region are kept there.
    """
    repository = repository_of(secret)
    names = [key.rpartition("/")[2] for key in target.sizes("keys")]
    if any(not name.startswith(f"{repository}-") for name in names):
        raise Conflict("the backups of another region are kept there", source=target.url, remedy="name another place")
    if any(name.startswith(f"{repository}-{recipients.name}.") for name in names):
        return
    file = work / "secret"
    digest, _ = recipients.seal(secret, file)
    target.put(file, f"keys/{repository}-{recipients.name}.{digest[:32]}.age")


def open_secret(target: Target, manifest: Manifest, identities: Identities) -> bytes:
    """The repository's secret.

    Args:
        target: Where the backup is.
        manifest: The backup.
        identities: Of one of its recipients.

    Raises:
        VerificationFailed: It was changed, or is not for these identities.
    """
    start = f"keys/{manifest.repository}-{manifest.key}."
    for key in sorted(target.sizes("keys")):
        if key.startswith(start):
            secret = identities.open(target.read(key, _LIMIT), _LIMIT, f"{target.url}/{key}")
            if repository_of(secret) != manifest.repository:
                raise VerificationFailed("the secret is another repository's", source=f"{target.url}/{key}")
            return secret
    raise VerificationFailed("the repository's secret is not there", source=f"{target.url}/{start}*")


def manifest_key(target: Target, manifest: Manifest) -> str:
    """Where a manifest lies."""
    return f"backups/{manifest.name}.{hashlib.sha256(manifest.content).hexdigest()[:32]}.json"


def backups(target: Target) -> list[Manifest]:
    """All finished backups, oldest first.

    Raises:
        VerificationFailed: A manifest's bytes are not what its name says.
    """
    found = []
    for key in sorted(target.sizes("backups")):
        where = f"{target.url}/{key}"
        manifest = Manifest.read(target.read(key), where)
        if not key.startswith(f"backups/{manifest.name}."):
            raise VerificationFailed("the manifest is of another backup", source=where)
        manifest.check(where)
        found.append(manifest)
    return sorted(found, key=lambda one: (one.repository, one.sequence))


def last(found: Iterable[Manifest], repository: str) -> Manifest | None:
    """The newest backup of a repository."""
    return max((one for one in found if one.repository == repository), key=lambda one: one.sequence, default=None)


def choose(found: Sequence[Manifest], name: str, where: str) -> Manifest:
    """One backup, by its name, its number, or ``latest``.

    Raises:
        NotFound: There is none of that name.
        BadInput: There are several.
    """
    if name == "latest":
        chosen = list(found[-1:])
    else:
        chosen = [one for one in found if name in {one.name, str(one.sequence)}]
    if len({one.name for one in found if name == "latest" and one.repository != found[-1].repository}):
        raise BadInput("backups of several regions are there", source=where, remedy="name one of them in full")
    if len(chosen) > 1:
        raise BadInput("several backups have that number", source=where, remedy="name one of them in full")
    if not chosen:
        raise NotFound("there is no such backup", source=f"{where}: {name}", remedy="see xinglin backup list")
    return chosen[0]
