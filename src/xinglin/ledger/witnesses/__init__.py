"""Witnesses of a ledger kept by one institution: checkpoints, cosignatures, the HTTP service."""
