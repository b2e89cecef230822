-- grain: one row per bucket, site and table, of the rows that are made of parts of stays
SELECT
    (p.person_id % getvariable('buckets'))::INTEGER AS bucket,
    p.site,
    CASE WHEN v.part_id = v.visit_id THEN 'visit_occurrence' ELSE 'visit_detail' END AS table_name,
    count(*) AS rows
FROM part_visit p
JOIN visit_part v ON v.part_id = p.visit_occurrence_id
GROUP BY ALL
ORDER BY ALL
