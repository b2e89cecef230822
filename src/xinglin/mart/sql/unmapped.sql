-- grain: one row per landed file and code without a standard concept
SELECT f.site, f.batch, f.file, f.resource_type, system, source_value AS code, min(display) AS display, count(*) AS rows
FROM routed JOIN landed_file f USING (source)
WHERE target IS NOT NULL AND concept_id = 0 AND source_value IS NOT NULL
GROUP BY ALL
ORDER BY f.site, f.batch, f.file, system, code
