"""Generated images: DICOM objects of head studies with a lesion whose place and size are known."""
