"""How a chain begins: its name, its time and its first institutions."""

from __future__ import annotations

import json
from dataclasses import dataclass

from xinglin.core.errors import BadInput
from xinglin.ledger.transactions.bodies import MAX_POWER
from xinglin.ledger.transactions.fields import is_name

__all__ = ["Founder", "Genesis"]


@dataclass(frozen=True, slots=True)
class Founder:
    """An institution of the first hour.

    Attributes:
        name: Its name.
        public_key: The Ed25519 key that its transactions are signed with.
        validator_key: The key that its CometBFT node signs blocks with; None for none.
        power: Its voting power.
    """

    name: str
    public_key: bytes
    validator_key: bytes | None
    power: int


@dataclass(frozen=True, slots=True)
class Genesis:
    """What everybody must be told once and can check everything from.

    Attributes:
        chain_id: The chain's name, at most 50 characters.
        time: Unix seconds.
        institutions: The founders, in the order of their names.

    Example:
        >>> genesis = Genesis("region", 0, (Founder("hospital", bytes(32), None, 1),))
        >>> Genesis.from_json(genesis.to_json()) == genesis
        True
    """

    chain_id: str
    time: int
    institutions: tuple[Founder, ...]

    def to_json(self) -> str:
        """JSON with sorted keys; keys in hex."""
        return json.dumps(self.to_dict(), sort_keys=True, indent=1) + "\n"

    def to_dict(self) -> dict[str, object]:
        """The same as plain values, for the ``app_state`` of a CometBFT genesis."""
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
            BadInput: A field is missing or ill-formed, a name or key appears twice, or nobody has any power.
        """
        try:
            told = json.loads(text)
            members = [
                Founder(
                    one["name"],
                    bytes.fromhex(one["public_key"]),
                    bytes.fromhex(one["validator_key"]) if one["validator_key"] is not None else None,
                    one["power"],
                )
                for one in told["institutions"]
            ]
            genesis = cls(told["chain_id"], told["time"], tuple(sorted(members, key=lambda one: one.name)))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadInput("the genesis cannot be read", remedy="ask the one who gave it for the whole file") from error
        genesis.check()
        return genesis

    def check(self) -> None:
        """Refuse a genesis that no chain could begin with.

        Raises:
            BadInput: What is wrong with it.
        """
        transaction_keys = [one.public_key for one in self.institutions]
        validator_keys = [one.validator_key for one in self.institutions if one.validator_key is not None]
        names = [one.name for one in self.institutions]
        problems = {
            "its chain_id is not a name of at most 50 characters": not is_name(self.chain_id)
            or len(self.chain_id) > 50,
            "its time is not a whole number of seconds": type(self.time) is not int or not 0 <= self.time < 2**53,
            "its institutions are not in the order of their names": names != sorted(names),
            "an institution's name is no name": not all(map(is_name, names)),
            "a key has not 32 bytes": any(len(key) != 32 for key in [*transaction_keys, *validator_keys]),
            "a name or key appears twice": any(
                len(values) != len(set(values)) for values in (names, [*transaction_keys, *validator_keys])
            ),
            "a voting power is out of range": not all(
                type(one.power) is int and 0 <= one.power <= MAX_POWER for one in self.institutions
            ),
        }
        problems["nobody has any voting power"] = not any(one.power for one in self.institutions)
        for problem, holds in problems.items():
            if holds:
                raise BadInput(f"no chain can begin with this genesis: {problem}", remedy="write a new one")
