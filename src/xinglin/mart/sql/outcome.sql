-- grain: one row per landed file, outcome and table: what became of the resources and their parts
WITH resource AS (
    SELECT source, resource_key, count(target) AS made, min(why) AS why FROM routed GROUP BY source, resource_key
)
SELECT source, 'mapped' AS outcome, '' AS table_name, count(*) FILTER (made > 0) AS rows
FROM landed_file LEFT JOIN resource USING (source) GROUP BY source
UNION ALL
SELECT source, why, '', count(*) FROM resource WHERE made = 0 GROUP BY source, why
UNION ALL
SELECT source, 'written', target, count(*) FROM routed WHERE target NOT IN ('image_instance', 'part_visit') GROUP BY source, target
UNION ALL
SELECT source, 'part: ' || routed.why, '', count(*) FROM routed JOIN resource USING (source, resource_key)
WHERE target IS NULL AND made > 0 GROUP BY source, routed.why
UNION ALL
SELECT source, 'unresolved-reference', '', sum(unresolved)::BIGINT FROM routed
GROUP BY source HAVING sum(unresolved) > 0
ORDER BY source, outcome, table_name
