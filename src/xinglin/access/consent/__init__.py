"""Consents: FHIR Consent compiled to a rule, stored here, committed to on the ledger."""
