-- grain: one row per landed file, table and reason: what its studies tell of images
SELECT source, 'contributes' AS outcome, 'image_occurrence' AS table_name, count(DISTINCT resource_key) AS rows
FROM part_image WHERE series_uid IS NOT NULL GROUP BY source
UNION ALL
SELECT source, 'contributes', 'image_instance', count(DISTINCT resource_key)
FROM part_image WHERE series_uid IS NOT NULL AND sop_uid IS NOT NULL GROUP BY source
UNION ALL
SELECT source, 'part: no-series-uid', '', count(*) FROM part_image WHERE series_uid IS NULL GROUP BY source
ORDER BY source, outcome, table_name
