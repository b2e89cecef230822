-- grain: one row per part of a stay
SELECT
    p.visit_occurrence_id AS visit_detail_id,
    p.person_id,
    p.visit_concept_id AS visit_detail_concept_id,
    p.visit_start_date AS visit_detail_start_date,
    p.visit_start_datetime AS visit_detail_start_datetime,
    p.visit_end_date AS visit_detail_end_date,
    p.visit_end_datetime AS visit_detail_end_datetime,
    p.visit_type_concept_id AS visit_detail_type_concept_id,
    t.key AS provider_id,
    s.key AS care_site_id,
    p.visit_source_value AS visit_detail_source_value,
    0 AS visit_detail_source_concept_id,
    0 AS admitted_from_concept_id,
    p.admitted_from_source_value,
    p.discharged_to_source_value,
    0 AS discharged_to_concept_id,
    NULL::BIGINT AS preceding_visit_detail_id,
    -- The whole of a part is another part or the visit itself, which is no detail.
    w.part_id AS parent_visit_detail_id,
    v.visit_id AS visit_occurrence_id
FROM part_visit p
JOIN visit_part v ON v.part_id = p.visit_occurrence_id AND v.visit_id <> v.part_id
LEFT JOIN visit_part w ON w.part_id = p.part_of AND w.person_id = p.person_id AND w.part_id <> w.visit_id
LEFT JOIN target t ON t.kind = 'provider' AND t.key = p.provider_id
LEFT JOIN target s ON s.kind = 'care_site' AND s.key = p.care_site_id
ORDER BY p.person_id, visit_detail_id
