-- grain: one row per accepted Encounter that is part of another
SELECT
    row_id AS visit_occurrence_id,
    person_id,
    coalesce(k.concept_id, 0) AS visit_concept_id,
    start_date AS visit_start_date,
    start_datetime AS visit_start_datetime,
    end_date AS visit_end_date,
    end_datetime AS visit_end_datetime,
    concept_ehr() AS visit_type_concept_id,
    provider_id,
    care_site_id,
    visit_class AS visit_source_value,
    0 AS visit_source_concept_id,
    0 AS admitted_from_concept_id,
    admitted_from AS admitted_from_source_value,
    0 AS discharged_to_concept_id,
    discharged_to AS discharged_to_source_value,
    NULL AS preceding_visit_occurrence_id,
    f.site,
    f.batch,
    f.file,
    routed.row,
    f.resource_type,
    part_of,
    bucket
FROM routed
JOIN landed_file f USING (source)
LEFT JOIN visit_class k ON k.code = routed.visit_class AND routed.is_visit_class
WHERE target = 'part_visit'
ORDER BY bucket, person_id, row_id
