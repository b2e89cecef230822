-- grain: one row per Immunization
SELECT resource_key AS row_id, resource_key, source, row, person_id, r.vaccineCode AS code, 'drug_exposure' AS home,
    CASE WHEN r.status IS DISTINCT FROM 'completed'
        THEN status_reason(r.status, ['not-done', 'entered-in-error']) END AS why,
    fhir_day(r.occurrenceDateTime) AS start_date, fhir_moment(r.occurrenceDateTime) AS start_datetime,
    reference_key(r.encounter.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(r.performer[1].actor.reference, 'Practitioner') AS provider_id,
    unresolved(r.encounter.reference, 'Encounter')
        + unresolved(r.performer[1].actor.reference, 'Practitioner') AS unresolved,
    r.lotNumber AS lot_number, r.route AS route_code, fhir_number(r.doseQuantity.value) AS quantity,
    coalesce(r.doseQuantity.code, r.doseQuantity.unit) AS dose_unit
FROM parsed
