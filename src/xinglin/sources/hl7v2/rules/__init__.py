"""The mapping from HL7 v2 to FHIR: read from YAML and compiled to functions."""
