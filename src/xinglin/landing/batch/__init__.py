"""Making one batch: checked, deduplicated, hashed and signed files from the received records."""
