"""Synthetic images: DICOM objects of head studies with a lesion of known position and size."""
