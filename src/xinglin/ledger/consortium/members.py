"""Members of a consortium: their public parts, and the genesis computed from them.

Each institution sends the others one small file without secrets. The genesis is a pure function of these files, so all
institutions compute the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import BadInput, UsageError
from xinglin.ledger.state.genesis import Founder, Genesis
from xinglin.ledger.transactions.bodies import MAX_POWER
from xinglin.ledger.transactions.fields import is_name
from xinglin.ledger.transactions.possession import holds, joining

if TYPE_CHECKING:
    from nacl.signing import SigningKey

__all__ = ["FORMAT", "MAX_BLOCK", "Joining", "Member", "address_of", "genesis_of", "is_host_port", "node_genesis"]

FORMAT = "xinglin ledger member 2"
MAX_BLOCK = 4_194_304
"""Maximum block size in bytes: about ten thousand transactions, checked in less than a second."""

_DOMAIN = b"xinglin member 2\x00"
_HEX = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")
_NODE = re.compile(r"[0-9a-f]{40}")
_PLACE = re.compile(r"[A-Za-z0-9.\[\]:-]+:\d{1,5}", re.ASCII)
_DAY = 86_400_000_000_000
_LAST_YEAR = 253_402_300_799


def is_host_port(text: str) -> bool:
    """Whether a text is ``host:port`` without characters that have a meaning in config.toml.

    Example:
        >>> is_host_port("[2001:db8::1]:26656"), is_host_port("a:1,b:2")
        (True, False)
    """
    return _PLACE.fullmatch(text) is not None


def address_of(public_key: bytes) -> bytes:
    """CometBFT's address of a key: the first 20 bytes of its SHA-256.

    Example:
        >>> address_of(bytes(32)).hex()
        '66687aadf862bd776c8fc18b8e9f8e2008971485'
    """
    return hashlib.sha256(public_key).digest()[:20]


@dataclass(frozen=True)
class Joining:
    """Signatures with which both keys of an institution ask to join a running chain; valid for that chain only.

    Args:
        chain_id: The chain id.
        public_key_proof: Signature (hex) of the transaction key over `possession.joining`.
        validator_key_proof: Signature (hex) of the validator key over the same statement.
    """

    chain_id: str
    public_key_proof: str
    validator_key_proof: str


@dataclass(frozen=True)
class Member:
    """The public part of one institution.

    Args:
        name: Name of the institution.
        public_key: Transaction key (hex).
        validator_key: Validator key (hex), with which its node votes.
        power: Voting power.
        node: Node id, which authenticates the node to its peers.
        address: ``host:port`` of the node.
        made: Unix seconds when the keys were created.
        public_key_proof: Signature (hex) of the transaction key over the fields above; empty until signed.
        validator_key_proof: Signature (hex) of the validator key over the same fields.
        joining: Signatures for joining a running chain; None otherwise.
    """

    name: str
    public_key: str
    validator_key: str
    power: int
    node: str
    address: str
    made: int
    public_key_proof: str = ""
    validator_key_proof: str = ""
    joining: Joining | None = None

    def __post_init__(self) -> None:
        keys = _HEX.fullmatch(self.public_key) and _HEX.fullmatch(self.validator_key) and _NODE.fullmatch(self.node)
        limits = ((self.power, MAX_POWER), (self.made, _LAST_YEAR))
        numbers = all(type(number) is int and 0 < number <= most for number, most in limits)
        # The address is written to the config.toml of the other nodes.
        if not (is_name(self.name) and keys and numbers and is_host_port(self.address)):
            raise BadInput("this is not the public part of an institution", source=self.name)

    @property
    def peer(self) -> str:
        """The node as a CometBFT peer address."""
        return f"{self.node}@{self.address}"

    @property
    def statement(self) -> bytes:
        """The signed bytes: all fields except the signatures."""
        signatures = {"public_key_proof", "validator_key_proof", "joining"}
        said = {name: value for name, value in asdict(self).items() if name not in signatures}
        return _DOMAIN + json.dumps(said, sort_keys=True, separators=(",", ":")).encode()

    def signed(self, transactions: SigningKey, validator: SigningKey) -> Member:
        """A copy with the signatures of both keys, which prove their possession.

        Args:
            transactions: The key that signs transactions.
            validator: The validator key.
        """
        proofs = [key.sign(self.statement).signature.hex() for key in (transactions, validator)]
        return replace(self, public_key_proof=proofs[0], validator_key_proof=proofs[1])

    def signed_for(self, chain_id: str, transactions: SigningKey, validator: SigningKey) -> Member:
        """A copy with the signatures for joining a running chain.

        Args:
            chain_id: The chain id.
            transactions: The key that signs transactions.
            validator: The validator key.
        """
        said = self._joining_statement(chain_id)
        proofs = [key.sign(said).signature.hex() for key in (transactions, validator)]
        return replace(self, joining=Joining(chain_id, *proofs))

    @property
    def proven(self) -> bool:
        """Whether the signatures of both keys are valid, including those for joining if present."""
        signed = self._by_both(self.statement, self.public_key_proof, self.validator_key_proof)
        if not signed or self.joining is None:
            return signed
        asks = self._joining_statement(self.joining.chain_id)
        return self._by_both(asks, self.joining.public_key_proof, self.joining.validator_key_proof)

    def _joining_statement(self, chain_id: str) -> bytes:
        return joining(chain_id, self.name, bytes.fromhex(self.public_key), bytes.fromhex(self.validator_key))

    def _by_both(self, statement: bytes, *proofs: str) -> bool:
        return all(
            _SIGNATURE.fullmatch(proof) and holds(bytes.fromhex(key), statement, bytes.fromhex(proof))
            for key, proof in zip((self.public_key, self.validator_key), proofs, strict=True)
        )

    def to_json(self) -> str:
        """The file for the other institutions.

        Example:
            >>> from nacl.signing import SigningKey
            >>> keys = SigningKey(bytes(32)), SigningKey(bytes([1]) * 32)
            >>> public = [bytes(key.verify_key).hex() for key in keys]
            >>> member = Member("north", *public, 1, "ef" * 20, "10.0.0.1:26656", 1).signed(*keys)
            >>> Member.from_json(member.to_json()) == member
            True
        """
        said = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps({"format": FORMAT, **said}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str, source: str = "") -> Member:
        """Read and verify a public part.

        Raises:
            BadInput: The text is not a public part, or a signature is missing or invalid.
        """
        try:
            fields = json.loads(text)
            if fields.pop("format") != FORMAT:
                raise ValueError(FORMAT)
            asked = fields.pop("joining", None)
            member = cls(**fields, joining=None if asked is None else Joining(**asked))
            proven = member.proven
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            remedy = "ask the institution for the file that `xinglin ledger init-validator` printed"
            raise BadInput("this is not the public part of an institution", source=source, remedy=remedy) from error
        if not proven:
            remedy = "ask the institution for its original file"
            raise BadInput(
                "the public part is not signed by both keys of the institution", source=source, remedy=remedy
            )
        return member


def genesis_of(members: Sequence[Member], chain_id: str = "") -> Genesis:
    """Compute Xinglin's genesis; its time is the latest creation time of the members' keys.

    Args:
        members: All institutions, in any order.
        chain_id: The chain id; by default derived from the members.

    Raises:
        UsageError: Two members have the same name, key, node or address.
        BadInput: The genesis would be invalid.

    Example:
        >>> one = Member("north", "ab" * 32, "cd" * 32, 1, "ef" * 20, "10.0.0.1:26656", 7)
        >>> genesis_of([one]).chain_id, genesis_of([one]).time
        ('xinglin-e686912727bb', 7)
    """
    ordered = sorted(members, key=lambda member: member.name)
    for field in ("name", "public_key", "validator_key", "node", "address"):
        if len({getattr(member, field) for member in ordered}) < len(ordered):
            raise UsageError(f"two institutions have the same {field}", remedy="run init-validator at each of them")
    if len({key for member in ordered for key in (member.public_key, member.validator_key)}) < 2 * len(ordered):
        raise UsageError("one key is used for two purposes", remedy="run init-validator at each of them")
    if not ordered:
        raise UsageError("no institution given", remedy="name the files of the members")
    said = b"".join(member.statement for member in ordered)
    chain_id = chain_id or f"xinglin-{hashlib.sha256(said).hexdigest()[:12]}"
    founders = [
        Founder(member.name, bytes.fromhex(member.public_key), bytes.fromhex(member.validator_key), member.power)
        for member in ordered
    ]
    genesis = Genesis(chain_id, max(member.made for member in ordered), tuple(founders))
    genesis.check()
    return genesis


def node_genesis(genesis: Genesis) -> bytes:
    """CometBFT's ``genesis.json``: the institutions as first validators, and Xinglin's genesis as `app_state`."""
    validators = [
        _validator(one.name, one.validator_key, one.power)
        for one in genesis.institutions
        if one.validator_key and one.power
    ]
    document = {
        "genesis_time": datetime.fromtimestamp(genesis.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "chain_id": genesis.chain_id,
        "initial_height": "1",
        "consensus_params": {
            "block": {"max_bytes": str(MAX_BLOCK), "max_gas": "-1"},
            "evidence": {"max_age_num_blocks": "200000", "max_age_duration": str(2 * _DAY), "max_bytes": "1048576"},
            "validator": {"pub_key_types": ["ed25519"]},
            "version": {"app": "0"},
            "abci": {"vote_extensions_enable_height": "0"},
        },
        "validators": validators,
        "app_hash": "",
        "app_state": genesis.to_dict(),
    }
    return json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"


def _validator(name: str, key: bytes, power: int) -> dict[str, Any]:
    value = base64.b64encode(key).decode()
    return {
        "address": address_of(key).hex().upper(),
        "pub_key": {"type": "tendermint/PubKeyEd25519", "value": value},
        "power": str(power),
        "name": name,
    }
