"""Generated persons: names, addresses, identifiers, and how a registration desk writes them."""
