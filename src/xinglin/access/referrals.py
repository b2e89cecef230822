"""Referrals: an institution that will treat a person who has no records there yet."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from xinglin.core.files import exclusive, private_file

__all__ = ["refer", "referred"]

_FILE = "referrals.json"


def refer(folder: Path, person: int, institution: str, until: datetime) -> None:
    """Let an institution count as treating a person.

    Args:
        folder: The access folder of the region.
        person: `person_id`.
        institution: Name of the institution.
        until: When it ends; a time that has passed ends it now.
    """
    with exclusive(folder / ".referrals.lock", doing="the list of referrals"):
        known = _load(folder)
        known[f"{person}:{institution}"] = int(until.timestamp())
        private_file(folder / _FILE, json.dumps(known, sort_keys=True, indent=1).encode() + b"\n")


def referred(folder: Path, person: int, institution: str, now: datetime) -> bool:
    """Whether a referral of the person to the institution holds.

    Args:
        folder: The access folder of the region.
        person: `person_id`.
        institution: Name of the institution.
        now: The time.
    """
    return _load(folder).get(f"{person}:{institution}", 0) > now.timestamp()


def _load(folder: Path) -> dict[str, int]:
    try:
        known: dict[str, int] = json.loads((folder / _FILE).read_bytes())
    except FileNotFoundError:
        return {}
    return known
