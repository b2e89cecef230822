-- grain: one row per instance and resource; of a series, or of a study made from objects, one per landed file
WITH told AS (
    SELECT p.*, s.image_occurrence_id, t.procedure_occurrence_id AS made_id, t.is_made
    FROM part_image p
    JOIN image_series s USING (site, person_id, series_uid)
    JOIN image_study t ON t.site = s.site AND t.person_id = s.person_id AND t.study_uid = s.study_uid
),
led AS (
    SELECT 'image_instance' AS table_name,
        text_key(concat_ws('/', site, 'image_instance', person_id, sop_uid)) AS row_id, site, batch, file, row,
        resource_key, person_id
    FROM told WHERE sop_uid IS NOT NULL
    GROUP BY ALL
    UNION ALL
    SELECT 'image_occurrence', image_occurrence_id, site, batch, file, min(row), arg_min(resource_key, row),
        person_id
    FROM told GROUP BY ALL
    UNION ALL
    SELECT 'procedure_occurrence', made_id, site, batch, file, min(row), arg_min(resource_key, row),
        person_id
    FROM told WHERE is_made GROUP BY ALL
)
SELECT table_name, row_id, site, batch, file, row, 'ImagingStudy' AS resource_type, resource_key, person_id
FROM led
ORDER BY table_name, row_id, resource_key
