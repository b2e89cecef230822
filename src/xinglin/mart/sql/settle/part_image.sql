-- grain: as part_image, its visit settled
SELECT i.* REPLACE (v.visit_id AS visit_occurrence_id)
FROM mapped_image i
LEFT JOIN visit_target v ON v.key = i.visit_occurrence_id AND v.person_id = i.person_id
