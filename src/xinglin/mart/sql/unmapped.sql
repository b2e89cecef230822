-- grain: one row per code of the file that has no standard concept
SELECT getvariable('site') AS site, getvariable('batch') AS batch, getvariable('file') AS file,
    getvariable('resource_type') AS resource_type, system, source_value AS code,
    min(display) AS display, count(*) AS rows
FROM routed
WHERE target IS NOT NULL AND concept_id = 0 AND source_value IS NOT NULL
GROUP BY ALL
ORDER BY system, code
