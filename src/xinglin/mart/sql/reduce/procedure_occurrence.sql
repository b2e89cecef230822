-- grain: one row per study that is known by its objects alone
SELECT procedure_occurrence_id, person_id, 0 AS procedure_concept_id, study_date AS procedure_date,
    study_datetime AS procedure_datetime, NULL::DATE AS procedure_end_date, NULL::TIMESTAMP AS procedure_end_datetime,
    concept_ehr() AS procedure_type_concept_id, 0 AS modifier_concept_id, NULL::INTEGER AS quantity, NULL::BIGINT AS provider_id,
    visit_occurrence_id, NULL::BIGINT AS visit_detail_id, modality AS procedure_source_value,
    0 AS procedure_source_concept_id, NULL::VARCHAR AS modifier_source_value
FROM image_study WHERE is_made
ORDER BY person_id, procedure_occurrence_id
