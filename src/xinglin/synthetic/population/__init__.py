"""Synthetic persons: names, addresses, identifiers, and their registration at institutions."""
