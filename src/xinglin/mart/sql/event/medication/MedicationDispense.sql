-- grain: one row per MedicationDispense and drug: its medication, or each ingredient of one without a code
WITH timed AS (
    SELECT
        *,
        coalesce(known(r.whenHandedOver), known(r.whenPrepared)) AS start_text,
        -- The element is a duration in days where it names no unit.
        CASE WHEN coalesce(r.daysSupply.code, r.daysSupply.unit) IS NULL THEN fhir_whole(r.daysSupply.value)
            ELSE days_of(r.daysSupply) END AS days_supply,
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
    part_key(site, 'MedicationDispense', resource_key, resource_id, part) AS row_id,
    resource_key,
    source,
    row,
    person_id,
    part > 1 AS is_part,
    'drug_exposure' AS home,
    code,
    CASE WHEN r.status IS DISTINCT FROM 'completed' THEN status_reason(r.status, ['preparation', 'in-progress',
        'cancelled', 'on-hold', 'entered-in-error', 'stopped', 'declined', 'unknown']) END AS why,
    fhir_day(start_text) AS start_date,
    fhir_moment(start_text) AS start_datetime,
    supplied_to(fhir_day(start_text), days_supply) AS end_date,
    is_placeholder(r.whenHandedOver) OR is_placeholder(r.whenPrepared) AS odd_start,
    days_supply > 1096 AS odd_end,
    reference_key(r.context.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(r.performer[1].actor.reference, 'Practitioner') AS provider_id,
    unresolved(r.context.reference, 'Encounter')
        + unresolved(r.performer[1].actor.reference, 'Practitioner') AS unresolved,
    fhir_number(r.quantity.value) AS quantity,
    days_supply,
    r.dosageInstruction[1].text AS sig,
    r.dosageInstruction[1].route AS route_code,
    coalesce(
        r.dosageInstruction[1].doseAndRate[1].doseQuantity.code,
        r.dosageInstruction[1].doseAndRate[1].doseQuantity.unit
    ) AS dose_unit
FROM drug
