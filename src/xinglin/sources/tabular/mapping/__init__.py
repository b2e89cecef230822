"""Mapping files: parsed with line numbers and validated."""
