-- grain: one row per MedicationRequest
SELECT resource_key AS row_id, resource_key, source, row, person_id, 'drug_exposure' AS home,
    coalesce(r.medicationCodeableConcept,
        code_behind(r.medicationReference.reference, 'Medication', r.contained)) AS code,
    CASE
        WHEN r.status IS NULL OR NOT list_contains(getvariable('request_statuses'), r.status)
            THEN status_reason(r.status, ['active', 'on-hold', 'cancelled', 'completed', 'entered-in-error', 'stopped',
                'draft', 'unknown'])
        WHEN r.intent IS NULL OR NOT list_contains(getvariable('request_intents'), r.intent)
            THEN replace(status_reason(r.intent, ['proposal', 'plan', 'order', 'original-order', 'reflex-order',
                'filler-order', 'instance-order', 'option']), 'status-', 'intent-')
        WHEN r.doNotPerform = 'true' THEN 'do-not-perform'
    END AS why,
    fhir_day(r.authoredOn) AS start_date, fhir_moment(r.authoredOn) AS start_datetime,
    fhir_whole(CASE WHEN coalesce(r.dispenseRequest.expectedSupplyDuration.code,
        r.dispenseRequest.expectedSupplyDuration.unit) IN ('d', 'day', 'days')
        THEN r.dispenseRequest.expectedSupplyDuration.value END) AS days_supply,
    fhir_day(r.authoredOn) + (greatest(days_supply, 1) - 1) AS end_date,
    reference_key(r.encounter.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(r.requester.reference, 'Practitioner') AS provider_id,
    unresolved(r.encounter.reference, 'Encounter') + unresolved(r.requester.reference, 'Practitioner') AS unresolved,
    coalesce(r.statusReason.coding[1].code, r.statusReason.text) AS stop_reason,
    fhir_whole(r.dispenseRequest.numberOfRepeatsAllowed) AS refills,
    fhir_number(r.dispenseRequest.quantity.value) AS quantity,
    r.dosageInstruction[1].text AS sig, r.dosageInstruction[1].route AS route_code,
    coalesce(r.dosageInstruction[1].doseAndRate[1].doseQuantity.code,
        r.dosageInstruction[1].doseAndRate[1].doseQuantity.unit) AS dose_unit
FROM parsed
