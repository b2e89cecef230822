-- grain: one row per MedicationStatement
WITH timed AS (
    SELECT *, coalesce(r.effectiveDateTime, r.effectivePeriod.start, r.dateAsserted) AS start_text FROM parsed
)
SELECT resource_key AS row_id, resource_key, source, row, person_id, 'drug_exposure' AS home,
    coalesce(r.medicationCodeableConcept,
        code_behind(r.medicationReference.reference, 'Medication', r.contained)) AS code,
    CASE WHEN r.status IS NULL OR r.status NOT IN ('active', 'completed')
        THEN status_reason(r.status, ['entered-in-error', 'intended', 'stopped', 'on-hold', 'unknown', 'not-taken'])
    END AS why,
    fhir_day(start_text) AS start_date, fhir_moment(start_text) AS start_datetime,
    fhir_day(r.effectivePeriod.end) AS end_date, fhir_moment(r.effectivePeriod.end) AS end_datetime,
    fhir_day(r.effectivePeriod.end) AS verbatim_end_date,
    reference_key(r.context.reference, 'Encounter') AS visit_occurrence_id,
    unresolved(r.context.reference, 'Encounter') AS unresolved,
    coalesce(r.statusReason[1].coding[1].code, r.statusReason[1].text) AS stop_reason,
    r.dosage[1].text AS sig, r.dosage[1].route AS route_code,
    coalesce(r.dosage[1].doseAndRate[1].doseQuantity.code, r.dosage[1].doseAndRate[1].doseQuantity.unit) AS dose_unit
FROM timed
