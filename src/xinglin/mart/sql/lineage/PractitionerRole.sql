-- grain: one row per PractitionerRole and provider it describes
SELECT 'provider' AS table_name, provider_id AS row_id, f.site, f.batch, f.file, row, f.resource_type,
    resource_key, (provider_id % getvariable('buckets'))::INTEGER AS bucket
FROM part_provider JOIN parsed ON parsed.resource_key = part_provider.source_key
JOIN landed_file f USING (source)
ORDER BY bucket, row_id, resource_key
