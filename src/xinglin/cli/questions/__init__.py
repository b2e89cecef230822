"""Commands that ask: SQL, views, jobs, extracts, the mart's quality."""
