"""Checks of landed batches: every hash and signature again, and proofs of single resources."""
