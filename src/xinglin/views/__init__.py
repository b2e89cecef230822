"""Views: SQL on FHIR ViewDefinitions compiled to one query over landed resources."""
