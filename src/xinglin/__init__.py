"""Xinglin: a regional medical data platform."""

__version__ = "0.1.0"
