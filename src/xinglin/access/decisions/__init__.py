"""Decisions: roles, what a request needs, the verdict and the words of a refusal."""
