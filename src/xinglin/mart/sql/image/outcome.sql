-- grain: one row per table and reason: what the file's studies tell of images
SELECT 'contributes' AS outcome, 'image_occurrence' AS table_name, count(DISTINCT resource_key) AS rows
FROM part_image WHERE series_uid IS NOT NULL HAVING rows > 0
UNION ALL
SELECT 'contributes', 'image_instance', count(DISTINCT resource_key) AS rows
FROM part_image WHERE series_uid IS NOT NULL AND sop_uid IS NOT NULL HAVING rows > 0
UNION ALL
SELECT 'part: no-series-uid', '', count(*) AS rows FROM part_image WHERE series_uid IS NULL HAVING rows > 0
ORDER BY outcome, table_name
