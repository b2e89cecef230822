"""Anchor on the ledger what it does not hold yet."""
