"""The genesis of a chain: chain id, time and first institutions."""

from __future__ import annotations

import json
from dataclasses import dataclass

from xinglin.core.errors import BadInput
from xinglin.ledger.transactions.bodies import MAX_POWER
from xinglin.ledger.transactions.fields import is_name

__all__ = ["Founder", "Genesis"]


@dataclass(frozen=True, slots=True)
class Founder:
    """A founding institution.

    Attributes:
        name: Name of the institution.
        public_key: Ed25519 key that signs its transactions.
        validator_key: Key with which its CometBFT node votes; None if it has no node.
        power: Voting power.
    """

    name: str
    public_key: bytes
    validator_key: bytes | None
    power: int


@dataclass(frozen=True, slots=True)
class Genesis:
    """The genesis: the trust root of every verifier.

    Attributes:
        chain_id: The chain id, at most 50 characters.
        time: Unix seconds.
        institutions: The founders, ordered by name.

    Example:
        >>> genesis = Genesis("region", 0, (Founder("hospital", bytes(32), None, 1),))
        >>> Genesis.from_json(genesis.to_json()) == genesis
        True
    """

    chain_id: str
    time: int
    institutions: tuple[Founder, ...]

    def to_json(self) -> str:
        """JSON with sorted member names; public keys in hex."""
        return json.dumps(self.to_dict(), sort_keys=True, indent=1) + "\n"

    def to_dict(self) -> dict[str, object]:
        """As plain values, for ``app_state`` of a CometBFT genesis."""
        members = [
            {
                "name": one.name,
                "public_key": one.public_key.hex(),
                "validator_key": one.validator_key.hex() if one.validator_key else None,
                "power": one.power,
            }
            for one in self.institutions
        ]
        return {"chain_id": self.chain_id, "time": self.time, "institutions": members}

    @classmethod
    def from_json(cls, text: str | bytes) -> Genesis:
        """Read and check a genesis.

        Raises:
            BadInput: A field is missing or malformed, a name or key is duplicate, or no institution has voting power.
        """
        try:
            document = json.loads(text)
            members = [
                Founder(
                    one["name"],
                    bytes.fromhex(one["public_key"]),
                    bytes.fromhex(one["validator_key"]) if one["validator_key"] is not None else None,
                    one["power"],
                )
                for one in document["institutions"]
            ]
            genesis = cls(document["chain_id"], document["time"], tuple(sorted(members, key=lambda one: one.name)))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadInput("the genesis cannot be read", remedy="request the complete file from its sender") from error
        genesis.check()
        return genesis

    def check(self) -> None:
        """Check that the genesis is valid.

        Raises:
            BadInput: Names the first defect.
        """
        transaction_keys = [one.public_key for one in self.institutions]
        validator_keys = [one.validator_key for one in self.institutions if one.validator_key is not None]
        names = [one.name for one in self.institutions]
        problems = {
            "chain_id is not a name of at most 50 characters": not is_name(self.chain_id) or len(self.chain_id) > 50,
            "time is not a whole number of seconds": type(self.time) is not int or not 0 <= self.time < 2**53,
            "the institutions are not ordered by name": names != sorted(names),
            "the name of an institution is invalid": not all(map(is_name, names)),
            "a key does not have 32 bytes": any(len(key) != 32 for key in [*transaction_keys, *validator_keys]),
            "a name or key appears twice": any(
                len(values) != len(set(values)) for values in (names, [*transaction_keys, *validator_keys])
            ),
            "a voting power is out of range": not all(
                type(one.power) is int and 0 <= one.power <= MAX_POWER for one in self.institutions
            ),
        }
        problems["no institution has voting power"] = not any(one.power for one in self.institutions)
        for problem, holds in problems.items():
            if holds:
                raise BadInput(f"the genesis is invalid: {problem}", remedy="correct it or create a new one")
