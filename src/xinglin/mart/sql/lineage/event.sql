-- grain: one row per mart row of the file
SELECT target AS table_name, row_id, getvariable('site') AS site, getvariable('batch') AS batch,
    getvariable('file') AS file, row, getvariable('resource_type') AS resource_type, resource_key, bucket
FROM routed WHERE target <> 'image_instance'
ORDER BY bucket, table_name, row_id
