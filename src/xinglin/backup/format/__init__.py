"""The format of a backup: encrypted objects, the catalogue, the manifest, the target that holds them."""
