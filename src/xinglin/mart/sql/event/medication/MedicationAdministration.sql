-- grain: one row per MedicationAdministration
WITH timed AS (
    SELECT *, coalesce(r.effectiveDateTime, r.effectivePeriod.start) AS start_text FROM parsed
)
SELECT resource_key AS row_id, resource_key, source, row, person_id, 'drug_exposure' AS home,
    coalesce(r.medicationCodeableConcept,
        code_behind(r.medicationReference.reference, 'Medication', r.contained)) AS code,
    CASE WHEN r.status IS NULL OR r.status NOT IN ('completed', 'in-progress')
        THEN status_reason(r.status, ['not-done', 'on-hold', 'entered-in-error', 'stopped', 'unknown'])
    END AS why,
    fhir_day(start_text) AS start_date, fhir_moment(start_text) AS start_datetime,
    fhir_day(r.effectivePeriod.end) AS end_date, fhir_moment(r.effectivePeriod.end) AS end_datetime,
    fhir_day(r.effectivePeriod.end) AS verbatim_end_date,
    reference_key(r.context.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(r.performer[1].actor.reference, 'Practitioner') AS provider_id,
    unresolved(r.context.reference, 'Encounter')
        + unresolved(r.performer[1].actor.reference, 'Practitioner') AS unresolved,
    fhir_number(r.dosage.dose.value) AS quantity, r.dosage.text AS sig, r.dosage.route AS route_code,
    coalesce(r.dosage.dose.code, r.dosage.dose.unit) AS dose_unit
FROM timed
