-- grain: one row per Condition
WITH status AS (
    SELECT
        *,
        coalesce(known(r.onsetDateTime), known_in(r.onsetPeriod), known(r.recordedDate)) AS start_text,
        coalesce(known(r.abatementDateTime), known(r.abatementPeriod.end), known(r.abatementPeriod.start)) AS end_text,
        codes_of(r.verificationStatus) AS codes,
        status_of(r.verificationStatus, 'condition-ver-status') AS verification
    FROM parsed
)
SELECT
    resource_key AS row_id,
    resource_key,
    source,
    row,
    person_id,
    r.code AS code,
    CASE WHEN verification IN ('provisional', 'differential', 'refuted') THEN 'observation'
        ELSE 'condition_occurrence' END AS home,
    verification IN ('provisional', 'differential', 'refuted') AS fixed,
    CASE
        WHEN list_contains(codes, 'entered-in-error') THEN 'status-entered-in-error'
        WHEN is_of_fetus(r.bodySite) THEN 'about-fetus'
        WHEN r.verificationStatus IS NULL OR verification IN ('confirmed', 'provisional', 'differential', 'refuted')
            THEN NULL
        WHEN verification IS NULL AND len(codes) > 0 THEN 'status-unknown'
        ELSE status_reason(verification, ['unconfirmed'])
    END AS why,
    fhir_day(start_text) AS start_date,
    fhir_moment(start_text) AS start_datetime,
    fhir_day(end_text) AS end_date,
    fhir_moment(end_text) AS end_datetime,
    is_placeholder(r.onsetDateTime) OR is_placeholder(r.recordedDate) OR is_period_odd(r.onsetPeriod) AS odd_start,
    is_placeholder(r.abatementDateTime) OR is_period_odd(r.abatementPeriod) AS odd_end,
    reference_key(r.encounter.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(coalesce(r.asserter.reference, r.recorder.reference), 'Practitioner') AS provider_id,
    unresolved(r.encounter.reference, 'Encounter')
        + unresolved(coalesce(r.asserter.reference, r.recorder.reference), 'Practitioner') AS unresolved,
    CASE verification WHEN 'confirmed' THEN concept_confirmed() END AS status_concept_id,
    verification AS status_source_value,
    verification AS qualifier
FROM status
