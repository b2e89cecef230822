-- grain: one row per event of the domain Device
SELECT row_id AS device_exposure_id, person_id, concept_id AS device_concept_id,
    start_date AS device_exposure_start_date, start_datetime AS device_exposure_start_datetime,
    end_date AS device_exposure_end_date, end_datetime AS device_exposure_end_datetime,
    concept_ehr() AS device_type_concept_id, NULL AS unique_device_id, NULL AS production_id, NULL AS quantity, provider_id,
    visit_occurrence_id, NULL AS visit_detail_id, source_value AS device_source_value,
    source_concept_id AS device_source_concept_id, 0 AS unit_concept_id, NULL AS unit_source_value,
    0 AS unit_source_concept_id, bucket
FROM routed WHERE target = 'device_exposure'
ORDER BY bucket, person_id, row_id
