-- grain: one row per Procedure
WITH timed AS (
    SELECT
        *,
        coalesce(known(r.performedDateTime), known_in(r.performedPeriod)) AS start_text,
        known(r.performedPeriod.end) AS end_text
    FROM parsed
)
SELECT
    resource_key AS row_id,
    resource_key,
    source,
    row,
    person_id,
    r.code AS code,
    'procedure_occurrence' AS home,
    CASE
        WHEN r.status IS DISTINCT FROM 'completed' THEN status_reason(r.status, ['preparation', 'in-progress',
            'not-done', 'on-hold', 'stopped', 'entered-in-error', 'unknown'])
        WHEN is_of_fetus(r.bodySite) THEN 'about-fetus'
    END AS why,
    fhir_day(start_text) AS start_date,
    fhir_moment(start_text) AS start_datetime,
    fhir_day(end_text) AS end_date,
    fhir_moment(end_text) AS end_datetime,
    is_placeholder(r.performedDateTime) OR is_placeholder(r.performedPeriod.start) AS odd_start,
    is_placeholder(r.performedPeriod.end) AS odd_end,
    reference_key(r.encounter.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(r.performer[1].actor.reference, 'Practitioner') AS provider_id,
    unresolved(r.encounter.reference, 'Encounter')
        + unresolved(r.performer[1].actor.reference, 'Practitioner') AS unresolved
FROM timed
