-- grain: one row per Organization and mart row it speaks of
SELECT made.table_name AS table_name, made.row_id AS row_id, f.site, f.batch, f.file, row, f.resource_type,
    resource_key, (made.row_id % getvariable('buckets'))::INTEGER AS bucket
FROM (SELECT *, unnest([
    {'table_name': 'care_site', 'row_id': resource_key},
    {'table_name': 'location', 'row_id': place_key(r.address[1])}
]) AS made FROM parsed) JOIN landed_file f USING (source)
WHERE made.row_id IS NOT NULL
ORDER BY bucket, table_name, row_id, resource_key
