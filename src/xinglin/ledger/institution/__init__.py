"""An institution on the ledger: signer, key rotation, membership."""
