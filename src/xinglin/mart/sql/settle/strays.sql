-- grain: one row per bucket: references of persons and parts of stays to providers and care sites without a row
WITH reference AS (
    SELECT person_id, 'provider' AS kind, provider_id AS key FROM part_person
    UNION ALL
    SELECT person_id, 'care_site', care_site_id FROM part_person
    UNION ALL
    SELECT person_id, 'provider', provider_id FROM part_visit
    UNION ALL
    SELECT person_id, 'care_site', care_site_id FROM part_visit
)
SELECT
    (person_id % getvariable('buckets'))::INTEGER AS bucket,
    count(*) AS rows
FROM reference
ANTI JOIN target USING (kind, key)
WHERE key IS NOT NULL
GROUP BY ALL
ORDER BY ALL
