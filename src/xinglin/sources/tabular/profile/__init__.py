"""A table without a mapping: profiled, and a mapping drafted."""
