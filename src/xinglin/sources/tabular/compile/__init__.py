"""A mapping compiled to functions of a row."""
