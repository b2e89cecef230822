-- grain: one row per Procedure
WITH timed AS (
    SELECT *, coalesce(r.performedDateTime, r.performedPeriod.start) AS start_text FROM parsed
)
SELECT resource_key AS row_id, resource_key, source, row, person_id, r.code AS code, 'procedure_occurrence' AS home,
    CASE WHEN r.status IS DISTINCT FROM 'completed' THEN status_reason(r.status, ['preparation', 'in-progress',
        'not-done', 'on-hold', 'stopped', 'entered-in-error', 'unknown']) END AS why,
    fhir_day(start_text) AS start_date, fhir_moment(start_text) AS start_datetime,
    fhir_day(r.performedPeriod.end) AS end_date, fhir_moment(r.performedPeriod.end) AS end_datetime,
    reference_key(r.encounter.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(r.performer[1].actor.reference, 'Practitioner') AS provider_id,
    unresolved(r.encounter.reference, 'Encounter')
        + unresolved(r.performer[1].actor.reference, 'Practitioner') AS unresolved
FROM timed
