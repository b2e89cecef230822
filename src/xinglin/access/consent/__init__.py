"""Consents: FHIR Consent compiled to a rule, stored in the region, with a commitment on the ledger."""
