"""The ledger: who agreed to what, who looked at what, and the root of everything that was made; no personal data."""
