-- grain: one row per event of the domain Measurement
SELECT row_id AS measurement_id, person_id, routed.concept_id AS measurement_concept_id,
    start_date AS measurement_date, start_datetime AS measurement_datetime, NULL AS measurement_time,
    concept_ehr() AS measurement_type_concept_id,
    CASE WHEN value_number IS NULL THEN 0 ELSE coalesce(o.concept_id, concept_equal()) END AS operator_concept_id,
    value_number AS value_as_number,
    CASE value_truth WHEN 'true' THEN concept_yes() WHEN 'false' THEN concept_no() ELSE coalesce(v.concept_id, 0) END
        AS value_as_concept_id,
    coalesce(u.concept_id, 0) AS unit_concept_id, range_low, range_high, provider_id, visit_occurrence_id,
    NULL AS visit_detail_id, routed.source_value AS measurement_source_value,
    routed.source_concept_id AS measurement_source_concept_id, unit AS unit_source_value,
    coalesce(u.concept_id, 0) AS unit_source_concept_id,
    coalesce(value_source_value, v.source_value) AS value_source_value,
    NULL AS measurement_event_id, 0 AS meas_event_field_concept_id, bucket
FROM routed
LEFT JOIN concept v ON v.code = routed.value_code
LEFT JOIN unit u ON u.code = routed.unit AND routed.is_ucum
LEFT JOIN comparator o ON o.code = routed.comparator
WHERE target = 'measurement'
ORDER BY bucket, person_id, row_id
