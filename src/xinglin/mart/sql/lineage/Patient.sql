-- grain: one row per Patient and mart row it speaks of
SELECT made.table_name AS table_name, made.row_id AS row_id, f.site, f.batch, f.file, row, f.resource_type,
    resource_key, (person_id % getvariable('buckets'))::INTEGER AS bucket
FROM (
    SELECT *, unnest([
        {'table_name': 'person', 'row_id': person_id},
        {'table_name': 'death', 'row_id': CASE WHEN known(r.deceasedDateTime) IS NOT NULL THEN person_id END},
        {'table_name': 'location', 'row_id': place_key(r.address[1])}
    ]) AS made
    FROM parsed WHERE person_id IS NOT NULL
) JOIN landed_file f USING (source)
WHERE made.row_id IS NOT NULL
ORDER BY bucket, table_name, row_id, resource_key
