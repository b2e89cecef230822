-- grain: one row per claim or settlement of a visit
SELECT row_id AS cost_id, visit_occurrence_id AS cost_event_id, 'Visit' AS cost_domain_id,
    concept_ehr() AS cost_type_concept_id, coalesce(m.concept_id, 0) AS currency_concept_id, total_charge, NULL AS total_cost,
    NULL AS total_paid, paid_by_payer, NULL AS paid_by_patient, NULL AS paid_patient_copay,
    NULL AS paid_patient_coinsurance, NULL AS paid_patient_deductible, NULL AS paid_by_primary,
    NULL AS paid_ingredient_cost, NULL AS paid_dispensing_fee, NULL AS payer_plan_period_id, NULL AS amount_allowed,
    0 AS revenue_code_concept_id, NULL AS revenue_code_source_value, 0 AS drg_concept_id, NULL AS drg_source_value,
    bucket
FROM routed LEFT JOIN currency m ON m.code = routed.currency
WHERE target = 'cost'
ORDER BY bucket, person_id, row_id
