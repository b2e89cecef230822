"""Witnesses of an embedded ledger: checkpoints, cosignatures, the HTTP service."""
