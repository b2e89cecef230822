"""Simulated lives: what happens to a person, and what institutions record."""
