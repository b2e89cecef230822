-- grain: one row per mart row of the file
SELECT target AS table_name, row_id, f.site, f.batch, f.file, row, f.resource_type, resource_key, bucket
FROM routed JOIN landed_file f USING (source)
WHERE target NOT IN ('image_instance', 'part_visit')
ORDER BY bucket, table_name, row_id
