-- grain: one row per event of the domain Condition
SELECT row_id AS condition_occurrence_id, person_id, concept_id AS condition_concept_id,
    start_date AS condition_start_date, start_datetime AS condition_start_datetime,
    end_date AS condition_end_date, end_datetime AS condition_end_datetime, concept_ehr() AS condition_type_concept_id,
    coalesce(status_concept_id, 0) AS condition_status_concept_id, stop_reason, provider_id, visit_occurrence_id,
    NULL AS visit_detail_id, source_value AS condition_source_value,
    source_concept_id AS condition_source_concept_id, status_source_value AS condition_status_source_value, bucket
FROM routed WHERE target = 'condition_occurrence'
ORDER BY bucket, person_id, row_id
