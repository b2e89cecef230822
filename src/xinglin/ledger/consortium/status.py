"""Status of the nodes of a consortium: heights, app hashes, validators, peers."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xinglin.core.errors import LedgerUnavailable, XinglinError
from xinglin.ledger.consortium.rpc import NodeClient

__all__ = ["NodeStatus", "StatusReport", "query_nodes"]


@dataclass(frozen=True)
class NodeStatus:
    """Status of one node.

    Args:
        url: Its RPC address.
        name: Name of the node.
        chain_id: The chain id.
        height: Height of its last block.
        app_hash: App hash (hex) in the header of that block.
        validators: Public key (hex) and voting power of each validator.
        peers: Names of connected nodes.
        catching_up: The node is replaying old blocks.
        trouble: Why the node could not be queried; all other fields are then empty.
    """

    url: str
    name: str = ""
    chain_id: str = ""
    height: int = 0
    app_hash: str = ""
    validators: tuple[tuple[str, int], ...] = ()
    peers: tuple[str, ...] = ()
    catching_up: bool = False
    trouble: str = ""


@dataclass(frozen=True)
class StatusReport:
    """Status of all queried nodes.

    Args:
        nodes: One per URL, in the given order.
        height: Highest block that all answering nodes have.
        app_hashes: Distinct app hashes (hex) at that height; one if all agree.
    """

    nodes: tuple[NodeStatus, ...]
    height: int
    app_hashes: tuple[str, ...]

    @property
    def agree(self) -> bool:
        """Whether all nodes answered and have the same ledger."""
        return len(self.app_hashes) == 1 and not any(node.trouble for node in self.nodes)


def query_nodes(urls: Sequence[str], patience: float = 5.0) -> StatusReport:
    """Query all nodes and compare them at their highest common block.

    Args:
        urls: RPC addresses of the nodes.
        patience: Timeout per node in seconds.
    """
    clients = [NodeClient(url, patience) for url in urls]
    try:
        nodes = tuple(map(_ask, clients))
        answering = [(client, node) for client, node in zip(clients, nodes, strict=True) if not node.trouble]
        height = min((node.height for _, node in answering), default=0)
        hashes = {(node.chain_id, _hash(client, height)) for client, node in answering} if height else set()
        return StatusReport(nodes, height, tuple(sorted(value for _, value in hashes)))
    finally:
        for client in clients:
            client.close()


def _ask(client: NodeClient) -> NodeStatus:
    try:
        status = client.call("status")
        peers = client.call("net_info")["peers"]
        voting = client.call("validators", per_page="100")["validators"] if _height(status) else []
        return _status(client.url, status, peers, voting)
    except (LedgerUnavailable, KeyError, TypeError, ValueError, AttributeError) as error:
        trouble = error.what if isinstance(error, XinglinError) else "it does not answer like a CometBFT node"
        return NodeStatus(client.url, trouble=trouble)


def _status(url: str, status: dict[str, Any], peers: list[Any], voting: list[Any]) -> NodeStatus:
    return NodeStatus(
        url=url,
        name=status["node_info"]["moniker"],
        chain_id=status["node_info"]["network"],
        height=_height(status),
        app_hash=status["sync_info"]["latest_app_hash"].lower(),
        validators=tuple((_key(one), int(one["voting_power"])) for one in voting),
        peers=tuple(sorted(peer["node_info"]["moniker"] for peer in peers)),
        catching_up=status["sync_info"]["catching_up"],
    )


def _height(status: dict[str, Any]) -> int:
    return int(status["sync_info"]["latest_block_height"])


def _hash(client: NodeClient, height: int) -> str:
    return str(client.call("commit", height=str(height))["signed_header"]["header"]["app_hash"]).lower()


def _key(validator: dict[str, Any]) -> str:
    return base64.b64decode(validator["pub_key"]["value"]).hex()
