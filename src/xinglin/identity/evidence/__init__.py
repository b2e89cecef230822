"""What the values of a region are worth as evidence: placeholders, identifier systems, households, contradictions."""
