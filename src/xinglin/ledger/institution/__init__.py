"""One institution on the ledger: its signer, its keys, its membership."""
