-- grain: one row per bucket, site and outcome: references without a target, and rows dropped for it
SELECT
    f.bucket,
    l.site,
    CASE WHEN s.is_dropped THEN 'dropped' ELSE 'reference-without-target' END AS outcome,
    sum(CASE WHEN s.is_dropped THEN 1 ELSE s.lost END)::BIGINT AS rows
FROM settled s
JOIN changed_file f USING (filename)
JOIN lineage l ON l.table_name = {table} AND l.row_id = s.{key}
WHERE s.lost > 0 OR s.is_dropped
GROUP BY ALL
ORDER BY ALL
