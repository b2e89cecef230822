"""The state machine: rules, authenticated map, log, and their SQLite store."""
