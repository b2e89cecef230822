-- grain: one row per bucket, site and table, of the rows that are made from several files together
WITH made AS (
    SELECT person_id, site, 'image_occurrence' AS table_name FROM image_series
    UNION ALL
    SELECT DISTINCT ON (site, person_id, sop_uid) person_id, site, 'image_instance'
    FROM part_image WHERE sop_uid IS NOT NULL
    UNION ALL
    SELECT person_id, site, 'procedure_occurrence' FROM image_study WHERE is_made
)
SELECT (person_id % getvariable('buckets'))::INTEGER AS bucket, site, table_name, count(*) AS rows
FROM made
GROUP BY ALL
ORDER BY bucket, site, table_name
