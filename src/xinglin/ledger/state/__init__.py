"""The state machine: rules, authenticated map, log, and the file that holds them."""
