"""Transactions: canonical CBOR, signed envelopes, one checked form for each type."""
