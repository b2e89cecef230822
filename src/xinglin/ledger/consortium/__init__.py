"""The ledger between institutions: the state machine of this package's parent, agreed on by CometBFT."""
