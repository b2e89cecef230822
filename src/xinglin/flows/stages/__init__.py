"""The stages in order: pull, ingest, link, build; the institutions; the status."""
