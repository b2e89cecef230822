"""Erasure of a person from signed batches, by tombstones."""
