-- grain: one row per code that no vocabulary knows, by site and resource type
SELECT site, resource_type, system, code, min(display) AS display, sum(rows)::BIGINT AS rows
FROM part_unmapped
GROUP BY ALL
ORDER BY site, resource_type, system, code
