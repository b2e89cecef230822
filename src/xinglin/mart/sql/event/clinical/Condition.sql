-- grain: one row per Condition
WITH status AS (
    SELECT *, coalesce(r.onsetDateTime, r.onsetPeriod.start, r.recordedDate) AS start_text,
        coalesce(r.abatementDateTime, r.abatementPeriod.end) AS end_text,
        codes_of(r.verificationStatus) AS codes, codes[1] AS verification
    FROM parsed
)
SELECT resource_key AS row_id, resource_key, source, row, person_id, r.code AS code,
    CASE WHEN verification IN ('provisional', 'differential', 'refuted') THEN 'observation'
        ELSE 'condition_occurrence' END AS home,
    verification IN ('provisional', 'differential', 'refuted') AS fixed,
    CASE
        WHEN list_contains(codes, 'entered-in-error') THEN 'status-entered-in-error'
        WHEN r.verificationStatus IS NULL OR verification IN ('confirmed', 'provisional', 'differential', 'refuted')
            THEN NULL
        ELSE status_reason(verification, ['unconfirmed'])
    END AS why,
    fhir_day(start_text) AS start_date, fhir_moment(start_text) AS start_datetime,
    fhir_day(end_text) AS end_date, fhir_moment(end_text) AS end_datetime,
    reference_key(r.encounter.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(coalesce(r.asserter.reference, r.recorder.reference), 'Practitioner') AS provider_id,
    unresolved(r.encounter.reference, 'Encounter')
        + unresolved(coalesce(r.asserter.reference, r.recorder.reference), 'Practitioner') AS unresolved,
    CASE verification WHEN 'confirmed' THEN 32893 END AS status_concept_id,
    verification AS status_source_value, verification AS qualifier
FROM status
