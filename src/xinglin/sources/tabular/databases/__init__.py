"""Databases: connected to, and their tables pulled to Parquet."""
