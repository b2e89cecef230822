"""The linkage model: comparisons and their levels, training, scoring of pairs."""
