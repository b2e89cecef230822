"""Verification of landed batches, and inclusion proofs of single resources."""
