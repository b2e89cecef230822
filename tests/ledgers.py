"""Institutions, keys and a clock that the tests turn, for whatever holds a ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from xinglin.ledger import BlockResult, Code, Founder, Genesis, Ledger, Machine, Store, digest_of, key_id_of
from xinglin.ledger.transactions.envelope import seal
from xinglin.ledger.transactions.possession import joining, rotation

CHAIN = "region-test"
START = 1_800_000_000


class TurnedClock:
    """A clock that stands still until it is turned."""

    def __init__(self, seconds: int = START) -> None:
        self.seconds = seconds

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


def seed(name: str) -> bytes:
    """The signing key of a name."""
    return hashlib.sha256(name.encode()).digest()


def public(key: bytes) -> bytes:
    return bytes(SigningKey(key).verify_key)


def genesis(**powers: int) -> Genesis:
    """A chain of institutions, each with a validator key; ``hospital`` alone when none is named."""
    named = sorted((powers or {"hospital": 1}).items())
    members = (Founder(name, public(seed(name)), public(seed(f"{name} validator")), power) for name, power in named)
    return Genesis(CHAIN, START, tuple(members))


def addition(
    name: str, power: int, key: bytes, validator: bytes | None = None, chain_id: str = CHAIN
) -> dict[str, Any]:
    """The body of an InstitutionPropose that adds an institution with the keys of two seeds."""
    voting = None if validator is None else public(validator)
    statement = joining(chain_id, name, public(key), voting)
    return {
        "action": "add",
        "name": name,
        "public_key": public(key),
        "validator_key": voting,
        "power": power,
        "public_key_proof": SigningKey(key).sign(statement).signature,
        "validator_key_proof": None if validator is None else SigningKey(validator).sign(statement).signature,
    }


def change(action: str, name: str, power: int) -> dict[str, Any]:
    """The body of an InstitutionPropose that changes the power of an institution, or removes it."""
    nobody = {"public_key": None, "validator_key": None, "public_key_proof": None, "validator_key_proof": None}
    return {"action": action, "name": name, "power": power, **nobody}


class Desk:
    """Signs for an institution, rightly or, when told, wrongly."""

    def __init__(
        self,
        institution: str = "hospital",
        key: bytes | None = None,
        *,
        chain_id: str = CHAIN,
        now: Callable[[], float] = lambda: START,
        numbers: Iterator[int] | None = None,
    ) -> None:
        self.institution = institution
        self.key = key or seed(institution)
        self.chain_id = chain_id
        self.now = now
        self.numbers = numbers or count()

    @property
    def key_id(self) -> str:
        return key_id_of(public(self.key))

    def rotate(self, new: bytes, **changed: Any) -> bytes:
        """KeyRotate to the key of a seed, proven as it must be."""
        seq = changed.pop("seq", None)
        seq = next(self.numbers) if seq is None else seq
        statement = rotation(self.chain_id, self.institution, self.key_id, public(new), seq)
        body = {"public_key": public(new), "proof": SigningKey(new).sign(statement).signature}
        return self.sign("KeyRotate", {**body, **changed}, seq=seq)

    def sign(self, kind: str, body: Any, **changed: Any) -> bytes:
        fields = {
            "chain_id": self.chain_id,
            "type": kind,
            "institution": self.institution,
            "key_id": self.key_id,
            "seq": changed["seq"] if "seq" in changed else next(self.numbers),
            "valid_until": int(self.now()) + 3_600,
            "body": body,
        }
        return seal({**fields, **changed}, self.key)


@dataclass
class Held:
    """A ledger as the suite of the port sees it.

    Attributes:
        ledger: The ledger under test.
        other: The same ledger opened once more, as another process would.
        desk: Signs for an institution of it, with a clock that the ledger agrees with.
    """

    ledger: Ledger
    other: Ledger
    desk: Desk


class Chain:
    """A machine in a folder, whose blocks come one by one."""

    def __init__(self, folder: Path, **powers: int) -> None:
        self.path = folder / "ledger.sqlite"
        self.store = Store(self.path)
        self.machine = Machine(self.store)
        self.machine.genesis(genesis(**powers))
        self.time = START

    def block(self, *transactions: bytes, misbehaviour: tuple[bytes, ...] = ()) -> BlockResult:
        result = self.machine.execute(self.machine.header.height + 1, self.time, transactions, misbehaviour)
        self.machine.commit()
        return result

    def codes(self, *transactions: bytes) -> list[Code]:
        return list(self.block(*transactions).codes)

    def code(self, transaction: bytes) -> Code:
        return self.codes(transaction)[0]


def filled(number: int, length: int = 32) -> bytes:
    """Bytes that stand for a hash."""
    return hashlib.sha256(b"%d" % number).digest()[:length]


def batch(number: int, *, site: str = "lab", previous: bytes | None = None) -> dict[str, Any]:
    """The body of a DataAnchor; the manifest of batch n is `filled(n)`."""
    if number > 1 and previous is None:
        previous = filled(number - 1)
    return {
        "site": site,
        "sequence": number,
        "manifest": filled(number),
        "root": filled(number + 1_000),
        "size": 10,
        "schema": "FHIR R4",
        "previous": previous,
    }


def accesses(number: int, stream: bytes = bytes(16)) -> dict[str, Any]:
    """The body of an AccessBatch."""
    first = START * 1_000_000 + number
    return {"root": filled(number), "count": 1_000, "first": first, "last": first + 999_999, "stream": stream}


def consent(number: int, *, previous: int | None = None) -> dict[str, Any]:
    """The body of a ConsentPut under one handle."""
    before = None if previous is None else filled(previous)
    times = {"valid_from": START, "valid_until": None}
    return {"handle": bytes(16), "commitment": filled(number), **times, "previous": before}


__all__ = [
    "CHAIN",
    "START",
    "Chain",
    "Desk",
    "Held",
    "TurnedClock",
    "accesses",
    "addition",
    "batch",
    "change",
    "consent",
    "digest_of",
    "filled",
    "genesis",
    "public",
    "seed",
]
