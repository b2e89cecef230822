-- grain: one row per MedicationStatement and drug: its medication, or each ingredient of one without a code
WITH timed AS (
    SELECT
        *,
        coalesce(known(r.effectiveDateTime), known_in(r.effectivePeriod), known(r.dateAsserted)) AS start_text,
        known(r.effectivePeriod.end) AS end_text,
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
    part_key(site, 'MedicationStatement', resource_key, resource_id, part) AS row_id,
    resource_key,
    source,
    row,
    person_id,
    part > 1 AS is_part,
    'drug_exposure' AS home,
    code,
    CASE WHEN r.status IS NULL OR r.status NOT IN ('active', 'completed')
        THEN status_reason(r.status, ['entered-in-error', 'intended', 'stopped', 'on-hold', 'unknown', 'not-taken'])
    END AS why,
    fhir_day(start_text) AS start_date,
    fhir_moment(start_text) AS start_datetime,
    fhir_day(end_text) AS end_date,
    fhir_moment(end_text) AS end_datetime,
    fhir_day(end_text) AS verbatim_end_date,
    is_placeholder(r.effectiveDateTime) OR is_placeholder(r.effectivePeriod.start) AS odd_start,
    is_placeholder(r.effectivePeriod.end) AS odd_end,
    reference_key(r.context.reference, 'Encounter') AS visit_occurrence_id,
    unresolved(r.context.reference, 'Encounter') AS unresolved,
    coalesce(r.statusReason[1].coding[1].code, r.statusReason[1].text) AS stop_reason,
    r.dosage[1].text AS sig,
    r.dosage[1].route AS route_code,
    coalesce(
        r.dosage[1].doseAndRate[1].doseQuantity.code,
        r.dosage[1].doseAndRate[1].doseQuantity.unit
    ) AS dose_unit
FROM drug
