"""The codes that generated records use."""
