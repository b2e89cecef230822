"""The consortium ledger: institutions run the ledger's state machine on CometBFT consensus."""

from xinglin.ledger.consortium.client import CometLedger
from xinglin.ledger.consortium.home import NodeOptions, ValidatorHome

__all__ = ["CometLedger", "NodeOptions", "ValidatorHome"]
