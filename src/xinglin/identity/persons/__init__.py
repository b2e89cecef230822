"""From scored pairs, declarations and decisions to persons with stable ids."""
