-- grain: one row per Immunization
WITH timed AS (
    SELECT
        *,
        coalesce(known(r.occurrenceDateTime), known(r.recorded)) AS start_text
    FROM parsed
)
SELECT
    resource_key AS row_id,
    resource_key,
    source,
    row,
    person_id,
    r.vaccineCode AS code,
    'drug_exposure' AS home,
    CASE WHEN r.status IS DISTINCT FROM 'completed'
        THEN status_reason(r.status, ['not-done', 'entered-in-error']) END AS why,
    fhir_day(start_text) AS start_date,
    fhir_moment(start_text) AS start_datetime,
    is_placeholder(r.occurrenceDateTime) AS odd_start,
    reference_key(r.encounter.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(r.performer[1].actor.reference, 'Practitioner') AS provider_id,
    unresolved(r.encounter.reference, 'Encounter')
        + unresolved(r.performer[1].actor.reference, 'Practitioner') AS unresolved,
    r.lotNumber AS lot_number,
    r.route AS route_code,
    fhir_number(r.doseQuantity.value) AS quantity,
    coalesce(r.doseQuantity.code, r.doseQuantity.unit) AS dose_unit
FROM timed
