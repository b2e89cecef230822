-- grain: one row per PractitionerRole and provider it describes
SELECT 'provider' AS table_name, provider_id AS row_id, getvariable('site') AS site, getvariable('batch') AS batch,
    getvariable('file') AS file, row, getvariable('resource_type') AS resource_type, resource_key,
    (provider_id % getvariable('buckets'))::INTEGER AS bucket
FROM part_provider JOIN parsed ON parsed.resource_key = part_provider.source_key
ORDER BY bucket, row_id, resource_key
