-- grain: one row per part of a stay, as a visit or as a detail of one
SELECT
    CASE WHEN v.part_id = v.visit_id THEN 'visit_occurrence' ELSE 'visit_detail' END AS table_name,
    v.part_id AS row_id,
    p.site,
    p.batch,
    p.file,
    p.row,
    p.resource_type,
    p.visit_occurrence_id AS resource_key,
    p.person_id
FROM part_visit p
JOIN visit_part v ON v.part_id = p.visit_occurrence_id
ORDER BY p.person_id, table_name, row_id
