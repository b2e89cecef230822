"""Errors, stable keys, the clock, settings and atomic files: every layer may import them."""
