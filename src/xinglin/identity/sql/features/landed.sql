-- grain: one row per current version of a Patient resource in the landed files read
SELECT rows.key AS patient_key, file.site, rows.resource_id AS local_id, rows.resource
FROM read_parquet($paths, filename = 'path', file_row_number = true) AS rows
JOIN landed_file AS file ON file.path = rows.path
ANTI JOIN landed_superseded AS gone ON gone.path = rows.path AND gone.row = rows.file_row_number
