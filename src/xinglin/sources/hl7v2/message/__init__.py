"""Messages: found in files, decoded, parsed into segments and groups."""
