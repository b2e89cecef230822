"""Files of an institution's validator: keys and settings of the node, genesis, state."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.core.errors import Conflict, NotFound, UsageError
from xinglin.core.files import first_private_file, private_file, write_atomic
from xinglin.ledger.consortium.members import Member, address_of, genesis_of, is_host_port, node_genesis
from xinglin.ledger.consortium.socket_path import socket_path
from xinglin.ledger.state.genesis import Genesis

if TYPE_CHECKING:
    from nacl.signing import SigningKey

__all__ = ["NodeOptions", "ValidatorHome", "transaction_key"]

_CONFIG = """# The node of this institution. `xinglin ledger join` writes the lines of peers.
proxy_app = "unix://{socket}"
abci = "socket"
moniker = {name}
log_level = "error"
priv_validator_key_file = "../../keys/validator.json"
priv_validator_state_file = "data/priv_validator_state.json"
node_key_file = "../../keys/node.json"

[rpc]
laddr = "tcp://{rpc}"
max_request_batch_size = 1000
max_body_bytes = 16000000

[p2p]
laddr = "tcp://{listen}"
external_address = "{address}"
persistent_peers = ""
unconditional_peer_ids = ""
persistent_peers_max_dial_period = "{redial}"
pex = false
addr_book_strict = false
allow_duplicate_ip = true
max_num_inbound_peers = 0

[mempool]
size = 5000
cache_size = 20000
max_tx_bytes = 65536
max_txs_bytes = 268435456

[consensus]
timeout_commit = "{commit}"
create_empty_blocks = true
create_empty_blocks_interval = "{empty}"

[tx_index]
indexer = "null"

[instrumentation]
prometheus = false
"""
_PEERS = re.compile(r'^persistent_peers = ".*"\nunconditional_peer_ids = ".*"$', re.MULTILINE)


@dataclass(frozen=True)
class NodeOptions:
    """Addresses and timing of a node.

    Args:
        address: ``host:port`` that the other institutions connect to.
        listen: ``host:port`` to listen on; by default all addresses with the port of `address`.
        rpc: ``host:port`` of the RPC interface, for this institution only.
        commit_ms: Milliseconds to wait between blocks; more time lets slow validators sign.
        empty_seconds: Seconds after which a block without transactions is made. Transactions expire by block time,
            so it must advance.
    """

    address: str
    listen: str = ""
    rpc: str = "127.0.0.1:26657"
    commit_ms: int = 1000
    empty_seconds: int = 60

    def __post_init__(self) -> None:
        for place in (self.address, self.listen or self.address, self.rpc):
            if not is_host_port(place):
                raise UsageError("the address is invalid", source=place, remedy="write HOST:PORT")


@dataclass(frozen=True)
class ValidatorHome:
    """Paths of a validator in a region's home.

    Args:
        home: The region's folder.
        socket: Unix socket between node and application; by default in the home if the path is short enough.
    """

    home: Path
    socket: Path | None = None

    @property
    def ledger(self) -> Path:
        """The ledger's folder; keys are elsewhere."""
        return self.home / "ledger"

    @property
    def node(self) -> Path:
        """CometBFT's folder."""
        return self.ledger / "node"

    @property
    def state(self) -> Path:
        """The application's store."""
        return self.ledger / "ledger.sqlite"

    @property
    def genesis(self) -> Path:
        """Xinglin's genesis; proofs are checked against it."""
        return self.ledger / "genesis.json"

    @property
    def member(self) -> Path:
        """The public part for the other institutions."""
        return self.ledger / "member.json"

    @property
    def socket_path(self) -> Path:
        """The socket between node and application; in a private folder if the home's path is too long."""
        return self.socket or socket_path(self.ledger / "abci.sock")

    def create(self, member: tuple[str, int], transactions: SigningKey, options: NodeOptions, now: int) -> Member:
        """Create the node's keys and settings.

        Args:
            member: Name and voting power of the institution.
            transactions: The key that signs transactions (`transaction_key`).
            options: Addresses and timing of the node.
            now: Unix seconds.

        Raises:
            Conflict: A validator exists here; its keys must never be replaced.
        """
        from nacl.signing import SigningKey

        if self.member.exists() or (self.home / "keys" / "validator.json").exists():
            raise Conflict("a validator exists here already", source=str(self.home), remedy="use another home")
        name, power = member
        keys = {kind: SigningKey.generate() for kind in ("validator", "node")}
        public = {kind: bytes(key.verify_key) for kind, key in keys.items()}
        node = address_of(public["node"]).hex()
        own, voting = bytes(transactions.verify_key).hex(), public["validator"].hex()
        made = Member(name, own, voting, power, node, options.address, now).signed(transactions, keys["validator"])
        for folder in (self.node / "config", self.node / "data"):
            folder.mkdir(parents=True, exist_ok=True)
        for kind, key in keys.items():
            private_file(self.home / "keys" / f"{kind}.json", _key_file(bytes(key), public[kind]))
        state = json.dumps({"height": "0", "round": 0, "step": 0}).encode()
        private_file(self.node / "data" / "priv_validator_state.json", state)
        write_atomic(self.node / "config" / "config.toml", self._config(name, options).encode())
        write_atomic(self.member, made.to_json().encode())
        return made

    def read_member(self) -> Member:
        """Read this institution's public part.

        Raises:
            NotFound: There is no validator here.
        """
        if not self.member.is_file():
            raise NotFound(
                "there is no validator here", source=str(self.home), remedy="run xinglin ledger init-validator"
            )
        return Member.from_json(self.member.read_text(), str(self.member))

    def create_genesis(self, others: list[Member], chain_id: str = "") -> Genesis:
        """Start a ledger with these institutions and this one: write genesis and peers.

        Args:
            others: The other institutions; may include this one.
            chain_id: The chain id; by default derived from the members.

        Raises:
            Conflict: This node belongs to another chain.
        """
        own = self.read_member()
        genesis = genesis_of([own, *(one for one in others if one != own)], chain_id)
        self.join(genesis, others)
        return genesis

    def join(self, genesis: Genesis, others: list[Member]) -> None:
        """Join an existing chain: write its genesis and these peers.

        Raises:
            Conflict: This node belongs to another chain.
        """
        own = self.read_member()
        content = genesis.to_json().encode()
        if self.genesis.is_file() and self.genesis.read_bytes() != content:
            raise Conflict("this node belongs to another chain", source=str(self.genesis), remedy="use another home")
        write_atomic(self.node / "config" / "genesis.json", node_genesis(genesis))
        self.set_peers([one.peer for one in others if one.node != own.node])
        write_atomic(self.genesis, content)

    def request_joining(self, genesis: Genesis, transactions: SigningKey) -> Member:
        """Add to the public part the signatures that a running chain requires of a new institution.

        Args:
            genesis: The chain's genesis; for a founder nothing changes.
            transactions: The key that signs transactions (`transaction_key`).

        Returns:
            The public part, with which the others propose this institution.

        Raises:
            Conflict: The keys here do not match the public part.
        """
        from nacl.signing import SigningKey

        own = self.read_member()
        founders = {one.public_key.hex() for one in genesis.institutions}
        if own.public_key in founders or (own.joining and own.joining.chain_id == genesis.chain_id):
            return own
        path = self.home / "keys" / "validator.json"
        voting = SigningKey(base64.b64decode(json.loads(path.read_text())["priv_key"]["value"])[:32])
        asking = own.signed_for(genesis.chain_id, transactions, voting)
        if not asking.proven:
            remedy = "create a validator in another home: xinglin ledger init-validator"
            raise Conflict("the keys here do not match the public part", source=str(self.member), remedy=remedy)
        write_atomic(self.member, asking.to_json().encode())
        return asking

    def set_peers(self, peers: list[str]) -> None:
        """Set the peers of this node, each ``node@host:port``; it connects to no other node."""
        path = self.node / "config" / "config.toml"
        known = ",".join(sorted({peer.partition("@")[0] for peer in peers}))
        lines = f'persistent_peers = "{",".join(sorted(peers))}"\nunconditional_peer_ids = "{known}"'
        write_atomic(path, _PEERS.sub(lines, path.read_text()).encode())

    def rpc(self) -> str:
        """The URL of the own node's RPC interface.

        Raises:
            NotFound: There is no validator here.
        """
        import tomllib

        self.read_member()
        config = tomllib.loads((self.node / "config" / "config.toml").read_text())
        return str(config["rpc"]["laddr"]).replace("tcp://", "http://")

    def _config(self, name: str, options: NodeOptions) -> str:
        port = options.address.rpartition(":")[2]
        return _CONFIG.format(
            socket=self.socket_path.absolute(),
            name=json.dumps(name),
            rpc=options.rpc,
            listen=options.listen or f"0.0.0.0:{port}",
            address=options.address,
            redial="3s",
            commit=f"{options.commit_ms}ms",
            empty=f"{options.empty_seconds}s",
        )


def transaction_key(path: Path) -> SigningKey:
    """The key that signs the institution's transactions; created if missing.

    Args:
        path: Key file: the seed in hex.
    """
    from nacl.signing import SigningKey

    seed = first_private_file(path, bytes(SigningKey.generate()).hex().encode() + b"\n")
    return SigningKey(bytes.fromhex(seed.decode().strip()))


def _key_file(seed: bytes, public_key: bytes) -> bytes:
    """A key in CometBFT's JSON format; the private key is the seed followed by the public key."""
    public = {"type": "tendermint/PubKeyEd25519", "value": base64.b64encode(public_key).decode()}
    private = {"type": "tendermint/PrivKeyEd25519", "value": base64.b64encode(seed + public_key).decode()}
    document = {"address": address_of(public_key).hex().upper(), "pub_key": public, "priv_key": private}
    return json.dumps(document, indent=2).encode() + b"\n"
