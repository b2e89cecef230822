"""Commands on a whole region: demo, generate, institutions, backup, erasure."""
