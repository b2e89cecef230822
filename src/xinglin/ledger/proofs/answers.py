"""Parse the RPC answers of a CometBFT node (JSON) to signed headers and validators."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from xinglin.ledger.proofs.light import BlockId, Header, SignedHeader, Time, Validators, Vote

__all__ = ["signed_header_of", "validators_of"]


def _moment(text: str) -> Time:
    """Parse a time of CometBFT: RFC 3339 with up to nine fractional digits.

    Example:
        >>> _moment("2026-01-02T03:04:05.000000006Z")
        (1767323045, 6)
    """
    whole_seconds, _, fraction = text.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(whole_seconds + "+00:00").timestamp()), int(fraction.ljust(9, "0") or "0")


def _block_id(value: dict[str, Any]) -> BlockId:
    parts = value["parts"]
    return BlockId(bytes.fromhex(value["hash"]), int(parts["total"]), bytes.fromhex(parts["hash"]))


def signed_header_of(answer: dict[str, Any]) -> SignedHeader:
    """The signed header in an answer to ``/commit``."""
    plain, commit = answer["header"], answer["commit"]
    hashes = (
        "last_commit_hash", "data_hash", "validators_hash", "next_validators_hash", "consensus_hash", "app_hash",
        "last_results_hash", "evidence_hash", "proposer_address",
    )  # fmt: skip
    version = plain["version"]
    header = Header(
        (int(version.get("block", 0)), int(version.get("app", 0))),
        plain["chain_id"],
        int(plain["height"]),
        _moment(plain["time"]),
        _block_id(plain["last_block_id"]),
        *(bytes.fromhex(plain[name]) for name in hashes),
    )
    votes = tuple(_vote(one) for one in commit["signatures"] if one["block_id_flag"] == 2)
    block = _block_id(commit["block_id"])
    return SignedHeader(header, int(commit["round"]), block.parts, block.parts_hash, votes)


def _vote(value: dict[str, Any]) -> Vote:
    signature = base64.b64decode(value["signature"])
    return Vote(bytes.fromhex(value["validator_address"]), _moment(value["timestamp"]), signature)


def validators_of(answer: Iterable[dict[str, Any]]) -> Validators:
    """The validators in an answer to ``/validators``."""
    return Validators(tuple((base64.b64decode(one["pub_key"]["value"]), int(one["voting_power"])) for one in answer))
