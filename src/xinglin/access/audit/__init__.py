"""The audit log: one AuditEvent a decision, appended, sealed in segments, anchored on the ledger."""
