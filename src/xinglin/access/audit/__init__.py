"""The audit log: one AuditEvent per decision, appended, sealed in segments, anchored on the ledger."""
