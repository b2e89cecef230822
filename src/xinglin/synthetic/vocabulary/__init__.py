"""Codes of synthetic records."""
