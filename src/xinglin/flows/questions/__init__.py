"""Questions across stages: SQL, views, jobs, extracts, one person's record."""
