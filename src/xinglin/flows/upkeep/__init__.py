"""Upkeep of a region: backup and erasure."""
