"""From landed Patient resources to the features that linkage compares."""
