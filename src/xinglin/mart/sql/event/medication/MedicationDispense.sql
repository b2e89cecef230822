-- grain: one row per MedicationDispense
WITH timed AS (
    SELECT *, coalesce(r.whenHandedOver, r.whenPrepared) AS start_text, fhir_whole(r.daysSupply.value) AS days_supply
    FROM parsed
)
SELECT resource_key AS row_id, resource_key, source, row, person_id, 'drug_exposure' AS home,
    coalesce(r.medicationCodeableConcept,
        code_behind(r.medicationReference.reference, 'Medication', r.contained)) AS code,
    CASE WHEN r.status IS DISTINCT FROM 'completed' THEN status_reason(r.status, ['preparation', 'in-progress',
        'cancelled', 'on-hold', 'entered-in-error', 'stopped', 'declined', 'unknown']) END AS why,
    fhir_day(start_text) AS start_date, fhir_moment(start_text) AS start_datetime,
    fhir_day(start_text) + (greatest(days_supply, 1) - 1) AS end_date,
    reference_key(r.context.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(r.performer[1].actor.reference, 'Practitioner') AS provider_id,
    unresolved(r.context.reference, 'Encounter')
        + unresolved(r.performer[1].actor.reference, 'Practitioner') AS unresolved,
    fhir_number(r.quantity.value) AS quantity, days_supply,
    r.dosageInstruction[1].text AS sig, r.dosageInstruction[1].route AS route_code,
    coalesce(r.dosageInstruction[1].doseAndRate[1].doseQuantity.code,
        r.dosageInstruction[1].doseAndRate[1].doseQuantity.unit) AS dose_unit
FROM timed
