"""Transactions: canonical CBOR, signed envelopes, one checked body class per type."""
