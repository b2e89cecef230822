"""Commands that take records in and move them along: sources, messages, feeds, stages, identity, one record."""
