"""Referrals: an institution counts as treating a person who has no records there yet."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from xinglin.core.files import exclusive, private_file

__all__ = ["refer", "referred"]

_FILE = "referrals.json"


def refer(folder: Path, person: int, institution: str, until: datetime) -> None:
    """Register a referral of a person to an institution.

    Args:
        folder: `home/access`.
        person: `person_id`.
        institution: Name of the institution.
        until: End of the referral; a time in the past ends it now.
    """
    with exclusive(folder / ".referrals.lock", doing="the list of referrals"):
        known = _load(folder)
        known[f"{person}:{institution}"] = int(until.timestamp())
        private_file(folder / _FILE, json.dumps(known, sort_keys=True, indent=1).encode() + b"\n")


def referred(folder: Path, person: int, institution: str, now: datetime) -> bool:
    """Whether a referral of the person to the institution is valid.

    Args:
        folder: `home/access`.
        person: `person_id`.
        institution: Name of the institution.
        now: The current time.
    """
    return _load(folder).get(f"{person}:{institution}", 0) > now.timestamp()


def _load(folder: Path) -> dict[str, int]:
    try:
        known: dict[str, int] = json.loads((folder / _FILE).read_bytes())
    except FileNotFoundError:
        return {}
    return known
