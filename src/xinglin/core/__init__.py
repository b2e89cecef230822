"""What every layer may use: errors, stable keys, the clock, settings, atomic files."""
