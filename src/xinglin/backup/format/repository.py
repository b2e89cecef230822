"""The repository at a target: its encrypted secret and the manifests of its backups."""

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

__all__ = [
    "OwnRepository",
    "backups",
    "choose",
    "last",
    "manifest_key",
    "open_secret",
    "own_repository",
    "save_repository",
    "store_secret",
]

_LIMIT = 1 << 16


@dataclass(frozen=True)
class OwnRepository:
    """A region's own repository: ``keys/backup.json``.

    Args:
        secret: Key of piece names and manifest seals.
        target: Target of the last backup.
        recipients: Recipients of the last backup.
    """

    secret: bytes
    target: str = ""
    recipients: tuple[str, ...] = ()


def own_repository(keys: Path) -> OwnRepository:
    """Read the region's repository; a new secret before the first backup.

    Args:
        keys: `home/keys`.
    """
    path = keys / "backup.json"
    if not path.is_file():
        return OwnRepository(os.urandom(32))
    values = json.loads(path.read_bytes())
    return OwnRepository(bytes.fromhex(values["secret"]), values["target"], tuple(values["recipients"]))


def save_repository(keys: Path, known: OwnRepository) -> None:
    """Write the region's repository with mode 600."""
    values = {"secret": known.secret.hex(), "target": known.target, "recipients": list(known.recipients)}
    private_file(keys / "backup.json", json.dumps(values, indent=1).encode() + b"\n")


def store_secret(target: Target, secret: bytes, recipients: Recipients, work: Path) -> None:
    """Store the secret for these recipients, if it is missing.

    Raises:
        Conflict: The target holds backups of another region.
    """
    repository = repository_of(secret)
    names = [key.rpartition("/")[2] for key in target.sizes("keys")]
    if any(not name.startswith(f"{repository}-") for name in names):
        raise Conflict("the target holds backups of another region", source=target.url, remedy="use another target")
    if any(name.startswith(f"{repository}-{recipients.name}.") for name in names):
        return
    file = work / "secret"
    digest, _ = recipients.seal(secret, file)
    target.put(file, f"keys/{repository}-{recipients.name}.{digest[:32]}.age")


def open_secret(target: Target, manifest: Manifest, identities: Identities) -> bytes:
    """Decrypt the repository's secret.

    Args:
        target: The backup target.
        manifest: The backup.
        identities: Private key of one of its recipients.

    Raises:
        VerificationFailed: The secret was changed, or has other recipients.
    """
    start = f"keys/{manifest.repository}-{manifest.key}."
    for key in sorted(target.sizes("keys")):
        if key.startswith(start):
            secret = identities.open(target.read(key, _LIMIT), _LIMIT, f"{target.url}/{key}")
            if repository_of(secret) != manifest.repository:
                raise VerificationFailed("the secret belongs to another repository", source=f"{target.url}/{key}")
            return secret
    raise VerificationFailed("the repository's secret is missing", source=f"{target.url}/{start}*")


def manifest_key(target: Target, manifest: Manifest) -> str:
    """Key of a manifest at the target."""
    return f"backups/{manifest.name}.{hashlib.sha256(manifest.content).hexdigest()[:32]}.json"


def backups(target: Target) -> list[Manifest]:
    """All complete backups, oldest first.

    Raises:
        VerificationFailed: A manifest does not match its name.
    """
    found = []
    for key in sorted(target.sizes("backups")):
        where = f"{target.url}/{key}"
        manifest = Manifest.read(target.read(key), where)
        if not key.startswith(f"backups/{manifest.name}."):
            raise VerificationFailed("the manifest belongs to another backup", source=where)
        manifest.check(where)
        found.append(manifest)
    return sorted(found, key=lambda one: (one.repository, one.sequence))


def last(found: Iterable[Manifest], repository: str) -> Manifest | None:
    """The newest backup of a repository."""
    return max((one for one in found if one.repository == repository), key=lambda one: one.sequence, default=None)


def choose(found: Sequence[Manifest], name: str, where: str) -> Manifest:
    """One backup, by its name, its number, or ``latest``.

    Raises:
        NotFound: There is no such backup.
        BadInput: The name is ambiguous.
    """
    if name == "latest":
        chosen = list(found[-1:])
    else:
        chosen = [one for one in found if name in {one.name, str(one.sequence)}]
    if len({one.name for one in found if name == "latest" and one.repository != found[-1].repository}):
        raise BadInput(
            "the target holds backups of several regions", source=where, remedy="give the full name of a backup"
        )
    if len(chosen) > 1:
        raise BadInput("several backups have this number", source=where, remedy="give the full name of a backup")
    if not chosen:
        raise NotFound("there is no such backup", source=f"{where}: {name}", remedy="list them: xinglin backup list")
    return chosen[0]
