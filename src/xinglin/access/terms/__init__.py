"""The terms of a decision: purposes of use and classes of data."""
