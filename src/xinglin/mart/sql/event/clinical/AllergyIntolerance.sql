-- grain: one row per AllergyIntolerance
WITH timed AS (
    SELECT *, coalesce(r.onsetDateTime, r.recordedDate) AS start_text,
        codes_of(r.verificationStatus) AS codes, codes[1] AS verification
    FROM parsed
)
SELECT resource_key AS row_id, resource_key, source, row, person_id, 'observation' AS home, true AS fixed, r.code AS code,
    true AS is_allergy,
    CASE
        WHEN list_contains(codes, 'entered-in-error') THEN 'status-entered-in-error'
        WHEN r.verificationStatus IS NULL OR verification = 'confirmed' THEN NULL
        ELSE status_reason(verification, ['unconfirmed', 'refuted'])
    END AS why,
    fhir_day(start_text) AS start_date, fhir_moment(start_text) AS start_datetime,
    reference_key(r.encounter.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(coalesce(r.asserter.reference, r.recorder.reference), 'Practitioner') AS provider_id,
    unresolved(r.encounter.reference, 'Encounter')
        + unresolved(coalesce(r.asserter.reference, r.recorder.reference), 'Practitioner') AS unresolved
FROM timed
