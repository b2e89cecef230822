-- grain: one row per site and table, of the rows that are made from several files together
SELECT site, 'image_occurrence' AS table_name, count(*) AS rows FROM image_series GROUP BY site
UNION ALL
SELECT site, 'image_instance', count(*) FROM (
    SELECT DISTINCT site, person_id, sop_uid FROM part_image WHERE sop_uid IS NOT NULL
) GROUP BY site
UNION ALL
SELECT site, 'procedure_occurrence', count(*) FROM image_study WHERE is_made GROUP BY site
ORDER BY site, table_name
