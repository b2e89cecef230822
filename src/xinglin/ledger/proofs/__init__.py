"""Proofs: made from a ledger, checked without one."""
