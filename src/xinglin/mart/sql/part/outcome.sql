-- grain: one row per landed file for the resources that speak of any mart row, and one per table they speak of
SELECT source, 'mapped' AS outcome, '' AS table_name, count(DISTINCT resource_key) AS rows
FROM landed_file LEFT JOIN lineage USING (site, batch, file) GROUP BY source
UNION ALL
SELECT source, 'contributes', table_name, count(*)
FROM lineage JOIN landed_file USING (site, batch, file) GROUP BY source, table_name
ORDER BY source, outcome DESC, table_name
