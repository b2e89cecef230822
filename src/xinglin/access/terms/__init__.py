"""Terms used in decisions: purposes of use and data classes."""
