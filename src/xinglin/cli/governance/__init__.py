"""Commands on who may do what and how it is proved: access, consents, the ledger, proofs, institutions."""
