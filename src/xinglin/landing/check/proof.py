"""Proof that one resource is in a signed batch; checking it does not need the other resources."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from xinglin.core.errors import NotFound, VerificationFailed
from xinglin.core.merkle import Tree, cover, root_from_path, siblings
from xinglin.landing.manifest import check_signature, digest
from xinglin.landing.store import Batch, Landing

__all__ = ["Proof", "prove"]

_ASK = "ask the site for a new proof"


@dataclass(frozen=True)
class Proof:
    """RFC 6962 inclusion proof of one resource, with the signature of the batch.

    Args:
        site: The site that signed.
        batch: Sequence of its batch.
        index: Index of the resource in the batch, from 0.
        size: Resources in the batch.
        leaf: Leaf hash of the resource's text.
        path: Audit path from the leaf upwards.
        root: The signed Merkle root.
        manifest: The signed manifest.
        signature: Its Ed25519 signature in hex.
        public_key: The site's public key in hex.
    """

    site: str
    batch: int
    index: int
    size: int
    leaf: bytes
    path: tuple[bytes, ...]
    root: bytes
    manifest: bytes
    signature: str
    public_key: str

    @property
    def manifest_sha256(self) -> str:
        """The SHA-256 of the manifest."""
        return digest(self.manifest)

    def check(self) -> None:
        """Check the audit path, the root in the manifest, and the signature.

        Raises:
            VerificationFailed: The proof does not hold.
        """
        where = f"{self.site}, batch {self.batch}"
        try:
            reached = root_from_path(self.index, self.size, self.leaf, list(self.path))
        except ValueError as error:
            raise VerificationFailed(
                "the audit path does not have the length for this batch", source=where, remedy=_ASK
            ) from error
        if reached != self.root:
            raise VerificationFailed(
                "the audit path does not lead to the signed Merkle root", source=where, remedy=_ASK
            )
        if f'"merkle_root":"{self.root.hex()}"'.encode() not in self.manifest:
            raise VerificationFailed("the manifest does not state this Merkle root", source=where, remedy=_ASK)
        check_signature(self.public_key, self.manifest, self.signature.encode(), where=where)


def prove(landing: Landing, site: str, batch: int, file: str, row: int) -> Proof:
    """Make the proof of one landed resource; its leaf is computed from the stored text.

    Args:
        landing: The region's landing.
        site: Site that sent it.
        batch: Sequence of the batch.
        file: Name of the file in it.
        row: Row in the file, from 0.

    Raises:
        NotFound: The batch, the file or the row does not exist.
    """
    found = next((one for one in landing.batches(site) if one.sequence == batch), None)
    if found is None:
        raise NotFound("the batch does not exist", source=f"{site}, batch {batch}", remedy="see: xinglin status")
    index = start = 0
    leaf = b""
    for one in found.files():
        if one.name == file:
            index, leaf = start + row, _leaf(one.path, row, one.rows)
        start += one.rows
    if not leaf:
        raise NotFound(
            "the file does not exist in the batch",
            source=f"{site}, batch {batch}, {file}",
            remedy="see the files in the batch's manifest.json",
        )
    return Proof(
        site=site,
        batch=batch,
        index=index,
        size=start,
        leaf=leaf,
        path=tuple(_path(found, index, start)),
        root=bytes.fromhex(found.manifest["merkle_root"]),
        manifest=found.manifest_bytes,
        signature=(found.path / "manifest.sig").read_text().strip(),
        public_key=landing.site(site).public_key,
    )


def _leaf(path: object, row: int, rows: int) -> bytes:
    import pyarrow.parquet as pq

    if not 0 <= row < rows:
        raise NotFound(f"the file has {rows} rows", source=f"{path}, row {row}", remedy="count rows from 0")
    with pq.ParquetFile(path) as parquet:
        for batch in parquet.iter_batches(batch_size=4_096, columns=["resource"]):
            if row < len(batch):
                return hashlib.sha256(b"\x00" + batch["resource"][row].as_py().encode()).digest()
            row -= len(batch)
    raise NotFound("the file has fewer rows than its manifest states", source=str(path), remedy="run: xinglin verify")


def _path(batch: Batch, index: int, size: int) -> list[bytes]:
    """Hash the leaves once, span by span, in their stored order."""
    import pyarrow.parquet as pq

    spans = siblings(index, size)
    trees = {span: Tree() for span in spans}
    start = 0
    for file in batch.files():
        leaves = [one for part in pq.read_table(file.path, columns=["leaf"])["leaf"].chunks for one in part.to_pylist()]
        for span in sorted(spans):
            first, end = max(span[0], start), min(span[1], start + len(leaves))
            if first < end:
                # A span begins at a multiple of a power of two not below its size, so it is hashed as from 0.
                trees[span].extend(cover(leaves[first - start : end - start], first - span[0]))
        start += len(leaves)
    return [trees[span].root() for span in spans]
