"""Proof files: created from a ledger, verified without one."""
