"""Verify proof files: one file proves one fact about the ledger to a reader without a ledger.

A proof file is a canonical CBOR map::

    format    "xinglin proof 1"
    chain_id  the chain id
    kind      kind of the fact; `xinglin.flows.evidence.check` reads the items of each kind
    item      a map
    ledger    link from the item to the ledger: a transaction in the log, or an entry of the state
    anchor    a signed checkpoint, or blocks with their votes (`ledger.proofs.trust`)

Every byte of a file is covered by a hash or signature that leads to the anchor, so every change is detected.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from xinglin.core.errors import VerificationFailed
from xinglin.core.merkle import leaf_hash
from xinglin.ledger.keys import signing_key
from xinglin.ledger.port import MapProof
from xinglin.ledger.proofs.checkpoint import app_hash
from xinglin.ledger.proofs.path import audit_path_root, leaf_index
from xinglin.ledger.proofs.trust import Anchored, Trust, open_anchor
from xinglin.ledger.state import authmap
from xinglin.ledger.transactions import cbor
from xinglin.ledger.transactions.bodies import Body, read_body
from xinglin.ledger.transactions.envelope import DOMAIN, Envelope, Refused, open_envelope

__all__ = ["FORMAT", "Checked", "Checker", "fields_of", "invalid"]

FORMAT = "xinglin proof 1"
_MOST = 16_000_000
_ANCHORS = 64


@dataclass(frozen=True)
class Checked:
    """A verified proof, except for its item, which depends on the kind.

    Args:
        kind: Kind of the fact.
        item: The item, not verified yet.
        anchored: The verified anchor.
        envelope: The transaction, for a fact in the log.
        body: Body of the transaction.
        index: Its position in the log, if the anchor gives the size of the log.
        key: The state key, for a fact in the state.
        entry: The state entry; None proves absence.
    """

    kind: str
    item: dict[str, Any]
    anchored: Anchored
    envelope: Envelope | None = None
    body: Body | None = None
    index: int | None = None
    key: bytes = b""
    entry: dict[str, Any] | None = None


def invalid(item: str, why: str) -> VerificationFailed:
    """The error for the first invalid item of a proof."""
    return VerificationFailed(
        f"{item}: {why}", source="proof", remedy="request the proof again, or from another institution"
    )


def fields_of(value: Any, what: str, /, **types: type | tuple[type, ...]) -> list[Any]:
    """The values of a map with exactly these fields and types.

    Raises:
        VerificationFailed: Fields or types differ.

    Example:
        >>> fields_of({"a": 1, "b": b""}, "the item", a=int, b=bytes)
        [1, b'']
    """
    if type(value) is not dict or value.keys() != types.keys():
        raise invalid(what, f"the expected fields are {', '.join(types)}")
    for name, kinds in types.items():
        if type(value[name]) not in (kinds if isinstance(kinds, tuple) else (kinds,)):
            raise invalid(what, f"the field {name} has the wrong type")
    return [value[name] for name in types]


class Checker:
    """Verifies proof files against a trust configuration; caches verified anchors.

    Args:
        trust: The genesis and the required witnesses.
    """

    def __init__(self, trust: Trust) -> None:
        self.trust = trust
        self._anchors: OrderedDict[bytes, Anchored] = OrderedDict()

    def check(self, content: bytes) -> Checked:
        """Verify everything in a proof except its item.

        Raises:
            VerificationFailed: Names the first invalid item.
        """
        if len(content) > _MOST:
            raise invalid("file", f"it is larger than {_MOST:,} bytes")
        try:
            proof = cbor.decode(content)
        except ValueError as error:
            raise invalid("file", f"it is not canonical CBOR: {error}") from error
        form, chain, kind, item, place, anchor = fields_of(
            proof, "file", format=str, chain_id=str, kind=str, item=dict, ledger=dict, anchor=bytes
        )
        if form != FORMAT:
            raise invalid("format", f"it is not {FORMAT}")
        if chain != self.trust.chain_id:
            raise invalid("chain_id", "it differs from the chain of the genesis")
        anchored = self._anchor(anchor)
        if "transaction" in place:
            return self._logged(kind, item, place, anchored)
        return self._stated(kind, item, place, anchored)

    def _anchor(self, content: bytes) -> Anchored:
        known = self._anchors.get(content)
        if known is None:
            try:
                known = open_anchor(content, self.trust)
            except VerificationFailed as error:
                raise invalid("anchor", str(error)) from error
            self._anchors[content] = known
            if len(self._anchors) > _ANCHORS:
                self._anchors.popitem(last=False)
        return known

    def _logged(self, kind: str, item: dict[str, Any], place: dict[str, Any], anchored: Anchored) -> Checked:
        content, path, state_root, key = fields_of(
            place, "ledger", transaction=bytes, path=bytes, state_root=bytes, key=(type(None), list)
        )
        if len(state_root) != 32 or anchored.state_root not in (None, state_root):
            raise invalid("state root", "it differs from the checkpoint")
        envelope, body = self._transaction(content, key, state_root)
        root = audit_path_root(leaf_hash(content), path, "log path")
        if anchored.log_root not in (None, root):
            raise invalid("log path", "it does not lead to the log root of the checkpoint")
        if app_hash(root, state_root) != anchored.app_hash:
            raise invalid("log path or state root", "they do not lead to the app_hash of the block")
        index = None if anchored.size is None else leaf_index(path, anchored.size, "log path")
        return Checked(kind, item, anchored, envelope, body, index)

    def _transaction(self, content: bytes, key: list[Any] | None, state_root: bytes) -> tuple[Envelope, Body]:
        from nacl.exceptions import BadSignatureError
        from nacl.signing import VerifyKey

        try:
            envelope = open_envelope(content)
            body = read_body(envelope.type, envelope.body)
        except Refused as refused:
            raise invalid("transaction", refused.code.reason) from refused
        if envelope.chain_id != self.trust.chain_id:
            raise invalid("transaction", "it is for another chain")
        institution, public_key = self._signer(envelope.key_id, key, state_root)
        if institution != envelope.institution:
            raise invalid("transaction", "its key belongs to another institution")
        try:
            VerifyKey(public_key).verify(DOMAIN + envelope.message, envelope.signature)
        except (BadSignatureError, ValueError) as error:
            raise invalid("transaction", "the signature is invalid") from error
        return envelope, body

    def _signer(self, key_id: str, proof: list[Any] | None, state_root: bytes) -> tuple[str, bytes]:
        """Institution and public key of the signer: from the genesis, or proved from the state."""
        founder = self.trust.keys.get(key_id)
        if founder is not None and proof is None:
            return founder
        if founder is not None or proof is None or len(proof) != 2:
            raise invalid("signer's key", "it must come either from the genesis or from the state")
        entry = _entry(MapProof(signing_key(key_id), *_shown([*proof, None]), state_root, 0), "signer's key")
        if entry is None:
            raise invalid("signer's key", "the state has no such key")
        return entry["institution"], entry["public_key"]

    def _stated(self, kind: str, item: dict[str, Any], place: dict[str, Any], anchored: Anchored) -> Checked:
        key, value, path, other, log_root = fields_of(
            place, "ledger", key=bytes, value=(type(None), bytes), path=list, other=(type(None), list), log_root=bytes
        )
        if len(log_root) != 32 or anchored.log_root not in (None, log_root):
            raise invalid("log root", "it differs from the checkpoint")
        proof = MapProof(key, *_shown([value, path, other]), anchored.state_root or b"", anchored.height)
        root = _root(proof, "state path")
        if anchored.state_root not in (None, root):
            raise invalid("state path", "it does not lead to the state root of the checkpoint")
        if app_hash(log_root, root) != anchored.app_hash:
            raise invalid("log root or state path", "they do not lead to the app_hash of the block")
        return Checked(kind, item, anchored, key=key, entry=None if value is None else cbor.decode(value))


def _shown(parts: list[Any]) -> tuple[bytes | None, tuple[bytes, ...], tuple[bytes, bytes] | None]:
    value, path, other = parts
    right = (value is None or type(value) is bytes) and type(path) is list and all(type(one) is bytes for one in path)
    if not right or (other is not None and (len(other) != 2 or not all(type(one) is bytes for one in other))):
        raise invalid("state path", "it is malformed")
    return value, tuple(path), None if other is None else (other[0], other[1])


def _root(proof: MapProof, what: str) -> bytes:
    try:
        return authmap.root_of_proof(proof)
    except VerificationFailed as error:
        raise invalid(what, error.what) from error


def _entry(proof: MapProof, what: str) -> dict[str, Any] | None:
    if _root(proof, what) != proof.root:
        raise invalid(what, "it does not lead to the state root")
    return None if proof.value is None else cbor.decode(proof.value)
