"""The backup format: encrypted objects, catalogue, manifest, and the target that stores them."""
