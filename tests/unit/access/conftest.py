"""A region with a ledger, an issuer and a gate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from xinglin.access import Claims, Gate, Verdict, create_issuer, issue
from xinglin.core.clock import fixed_clock
from xinglin.core.intent import Intent
from xinglin.ledger.embedded import EmbeddedLedger
from xinglin.ledger.institution.signer import Signer
from xinglin.ledger.state.genesis import Founder, Genesis

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLOCK = fixed_clock(NOW)
STAGES = frozenset({"landing", "identity"})
TREATED = range(100)
"""The persons with records at the hospital."""


@dataclass
class Region:
    """What a test needs of a region."""

    home: Path
    key: bytes
    ledger: EmbeddedLedger
    signer: Signer
    gate: Gate

    def credential(self, role: str, person: int | None = None, name: str = "somebody", hours: float = 8) -> str:
        claims = Claims(name, tuple(role.split()), "mercy", person)
        return issue(claims, self.key, "east", NOW, NOW + timedelta(hours=hours))

    def read(self, role: str, person: int, purpose: str, *, own: int | None = None, partial: bool = False) -> Verdict:
        intent = Intent("read", STAGES, purpose=purpose, person=person)
        return self.gate.decide(self.credential(role, own), intent, partial)

    def event(self, verdict: Verdict) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.gate.log.event(verdict.event))
        return found


def related(institution: str, person: int) -> bool:
    return institution == "mercy" and person in TREATED


def begin(home: Path) -> Region:
    """Open the region of a folder, making it first where it is new."""
    from nacl.signing import SigningKey

    key = create_issuer(home / "access", home / "keys", "east")
    seed = bytes(range(32))
    genesis = Genesis("east", 0, (Founder("mercy", bytes(SigningKey(seed).verify_key), None, 1),))
    ledger = EmbeddedLedger.create(home / "ledger", genesis, CLOCK)
    signer = Signer("mercy", seed, "east", home / "sequences.sqlite", CLOCK)
    return Region(home, key, ledger, signer, Gate.open(home / "access", ledger, CLOCK, related))


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Region]:
    found = begin(tmp_path)
    yield found
    found.gate.close()
    found.ledger.close()
