"""One batch: from parts of files to checked, deduplicated, hashed and signed files."""
