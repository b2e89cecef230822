-- grain: one row per event of the domain Drug
SELECT row_id AS drug_exposure_id, person_id, routed.concept_id AS drug_concept_id,
    start_date AS drug_exposure_start_date, start_datetime AS drug_exposure_start_datetime,
    coalesce(end_date, start_date) AS drug_exposure_end_date, end_datetime AS drug_exposure_end_datetime,
    verbatim_end_date, concept_ehr() AS drug_type_concept_id, stop_reason, refills, quantity, days_supply, sig,
    coalesce(t.concept_id, 0) AS route_concept_id, lot_number, provider_id, visit_occurrence_id,
    NULL AS visit_detail_id, routed.source_value AS drug_source_value,
    routed.source_concept_id AS drug_source_concept_id, t.source_value AS route_source_value,
    dose_unit AS dose_unit_source_value, bucket
FROM routed LEFT JOIN concept t ON t.code = routed.route_code
WHERE target = 'drug_exposure'
ORDER BY bucket, person_id, row_id
