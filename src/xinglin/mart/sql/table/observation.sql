-- grain: one row per event of the domain Observation or of a domain without a table of its own
SELECT row_id AS observation_id, person_id,
    CASE WHEN is_allergy AND routed.domain_id = 'Drug' THEN concept_allergy_to_drug() ELSE routed.concept_id END
        AS observation_concept_id,
    start_date AS observation_date, start_datetime AS observation_datetime, concept_ehr() AS observation_type_concept_id,
    value_number AS value_as_number, coalesce(value_string, v.source_value) AS value_as_string,
    CASE WHEN is_allergy AND routed.domain_id = 'Drug' THEN routed.concept_id
        WHEN value_truth = 'true' THEN concept_yes() WHEN value_truth = 'false' THEN concept_no()
        ELSE coalesce(v.concept_id, 0) END AS value_as_concept_id,
    0 AS qualifier_concept_id, coalesce(u.concept_id, 0) AS unit_concept_id, provider_id, visit_occurrence_id,
    NULL AS visit_detail_id, routed.source_value AS observation_source_value,
    routed.source_concept_id AS observation_source_concept_id, unit AS unit_source_value,
    qualifier AS qualifier_source_value, coalesce(value_source_value, v.source_value) AS value_source_value,
    NULL AS observation_event_id, 0 AS obs_event_field_concept_id, bucket
FROM routed
LEFT JOIN concept v ON v.code = routed.value_code
LEFT JOIN unit u ON u.code = routed.unit AND routed.is_ucum
WHERE target = 'observation'
ORDER BY bucket, person_id, row_id
