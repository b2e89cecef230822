-- grain: one row per MedicationRequest and drug: its medication, or each ingredient of one without a code
WITH timed AS (
    SELECT
        *,
        coalesce(
            known(r.authoredOn),
            known(r.dispenseRequest.validityPeriod.start),
            known_at(r.dosageInstruction[1].timing)
        ) AS start_text,
        days_of(r.dispenseRequest.expectedSupplyDuration) AS days_supply,
        drug_codes(r.medicationCodeableConcept, r.medicationReference.reference, r.contained) AS codes
    FROM parsed
),
drug AS (
    SELECT
        *,
        generate_subscripts(codes, 1) AS part,
        unnest(codes) AS code
    FROM timed
)
SELECT
    part_key(site, 'MedicationRequest', resource_key, resource_id, part) AS row_id,
    resource_key,
    source,
    row,
    person_id,
    part > 1 AS is_part,
    'drug_exposure' AS home,
    code,
    CASE
        WHEN r.status IS NULL OR NOT list_contains(getvariable('request_statuses'), r.status)
            THEN status_reason(r.status, ['active', 'on-hold', 'cancelled', 'completed', 'entered-in-error', 'stopped',
                'draft', 'unknown'])
        WHEN r.intent IS NULL OR NOT list_contains(getvariable('request_intents'), r.intent)
            THEN replace(status_reason(r.intent, ['proposal', 'plan', 'order', 'original-order', 'reflex-order',
                'filler-order', 'instance-order', 'option']), 'status-', 'intent-')
        WHEN r.doNotPerform IS DISTINCT FROM 'false' AND r.doNotPerform IS NOT NULL THEN 'do-not-perform'
    END AS why,
    fhir_day(start_text) AS start_date,
    fhir_moment(start_text) AS start_datetime,
    days_supply,
    supplied_to(fhir_day(start_text), days_supply) AS end_date,
    is_placeholder(r.authoredOn) AS odd_start,
    days_supply > 1096 AS odd_end,
    reference_key(r.encounter.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(r.requester.reference, 'Practitioner') AS provider_id,
    unresolved(r.encounter.reference, 'Encounter') + unresolved(r.requester.reference, 'Practitioner') AS unresolved,
    coalesce(r.statusReason.coding[1].code, r.statusReason.text) AS stop_reason,
    fhir_whole(r.dispenseRequest.numberOfRepeatsAllowed) AS refills,
    fhir_number(r.dispenseRequest.quantity.value) AS quantity,
    r.dosageInstruction[1].text AS sig,
    r.dosageInstruction[1].route AS route_code,
    coalesce(
        r.dosageInstruction[1].doseAndRate[1].doseQuantity.code,
        r.dosageInstruction[1].doseAndRate[1].doseQuantity.unit
    ) AS dose_unit
FROM drug
