"""Evidence: make proof files, check them, verify a region."""
