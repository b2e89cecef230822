"""Commands on records: sources, messages, live feeds, stages, identity, one person's record."""
