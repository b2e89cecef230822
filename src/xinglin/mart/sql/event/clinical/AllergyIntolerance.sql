-- grain: one row per AllergyIntolerance
WITH status AS (
    SELECT
        *,
        coalesce(
            known(r.onsetDateTime),
            known_in(r.onsetPeriod),
            known(r.recordedDate),
            known(r.lastOccurrence)
        ) AS start_text,
        codes_of(r.verificationStatus) AS codes,
        status_of(r.verificationStatus, 'allergyintolerance-verification') AS verification
    FROM parsed
)
SELECT
    resource_key AS row_id,
    resource_key,
    source,
    row,
    person_id,
    'observation' AS home,
    true AS fixed,
    r.code AS code,
    true AS is_allergy,
    CASE
        WHEN list_contains(codes, 'entered-in-error') THEN 'status-entered-in-error'
        -- DSTU2 has the verification status in the element status.
        WHEN r.status IN ('unconfirmed', 'refuted') THEN 'status-' || r.status
        WHEN r.verificationStatus IS NULL OR verification = 'confirmed' THEN NULL
        WHEN verification IS NULL AND len(codes) > 0 THEN 'status-unknown'
        ELSE status_reason(verification, ['unconfirmed', 'refuted'])
    END AS why,
    fhir_day(start_text) AS start_date,
    fhir_moment(start_text) AS start_datetime,
    is_placeholder(r.onsetDateTime) OR is_placeholder(r.recordedDate) AS odd_start,
    reference_key(r.encounter.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(coalesce(r.asserter.reference, r.recorder.reference), 'Practitioner') AS provider_id,
    unresolved(r.encounter.reference, 'Encounter')
        + unresolved(coalesce(r.asserter.reference, r.recorder.reference), 'Practitioner') AS unresolved
FROM status
