-- grain: one row per event of the domain Procedure
SELECT row_id AS procedure_occurrence_id, person_id, concept_id AS procedure_concept_id,
    start_date AS procedure_date, start_datetime AS procedure_datetime,
    end_date AS procedure_end_date, end_datetime AS procedure_end_datetime, concept_ehr() AS procedure_type_concept_id,
    0 AS modifier_concept_id, NULL AS quantity, provider_id, visit_occurrence_id, NULL AS visit_detail_id,
    source_value AS procedure_source_value, source_concept_id AS procedure_source_concept_id,
    NULL AS modifier_source_value, bucket
FROM routed WHERE target = 'procedure_occurrence'
ORDER BY bucket, person_id, row_id
