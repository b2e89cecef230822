-- grain: one row per outcome and table: what became of the resources and their parts
WITH resource AS (
    SELECT resource_key, count(target) AS made, min(why) AS why FROM routed GROUP BY resource_key
)
SELECT 'mapped' AS outcome, '' AS table_name, count(*) AS rows FROM resource WHERE made > 0
UNION ALL
SELECT why, '', count(*) FROM resource WHERE made = 0 GROUP BY why
UNION ALL
SELECT 'written', target, count(*) FROM routed WHERE target <> 'image_instance' GROUP BY target
UNION ALL
SELECT 'part: ' || routed.why, '', count(*) FROM routed JOIN resource USING (resource_key)
WHERE target IS NULL AND made > 0 GROUP BY routed.why
UNION ALL
SELECT 'unresolved-reference', '', sum(unresolved)::BIGINT FROM routed HAVING sum(unresolved) > 0
ORDER BY outcome, table_name
