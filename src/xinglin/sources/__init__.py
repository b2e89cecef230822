"""Sources: each speaks one format and yields FHIR R4 resources."""
