"""The ledger between institutions: the state machine of this package's parent, agreed on by CometBFT."""

from xinglin.ledger.consortium.client import CometLedger
from xinglin.ledger.consortium.home import NodeOptions, ValidatorHome

__all__ = ["CometLedger", "NodeOptions", "ValidatorHome"]
