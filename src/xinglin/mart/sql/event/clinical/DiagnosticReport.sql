-- grain: one row per DiagnosticReport
WITH timed AS (
    SELECT
        *,
        coalesce(known(r.effectiveDateTime), known_in(r.effectivePeriod), known(r.issued)) AS start_text,
        nullif(list_aggregate(list_filter(list_prepend(r.conclusion, list_transform(
            list_filter(r.presentedForm, lambda f: starts_with(f.contentType, 'text/plain')),
            lambda f: try(decode(base64_bytes(f.data))))), lambda t: t IS NOT NULL), 'string_agg', chr(10) || chr(10)), '')
            AS note_text
    FROM parsed
)
SELECT
    resource_key AS row_id,
    resource_key,
    source,
    row,
    person_id,
    'note' AS home,
    true AS fixed,
    r.code AS code,
    CASE
        WHEN r.status IS NULL OR r.status NOT IN ('final', 'amended', 'corrected', 'appended')
            THEN status_reason(r.status, ['registered', 'partial', 'preliminary', 'cancelled', 'entered-in-error',
                'unknown'])
        WHEN note_text IS NULL THEN 'no-text'
    END AS why,
    fhir_day(start_text) AS start_date,
    fhir_moment(start_text) AS start_datetime,
    is_placeholder(r.effectiveDateTime) OR is_period_odd(r.effectivePeriod) OR is_placeholder(r.issued) AS odd_start,
    reference_key(r.encounter.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(r.performer[1].reference, 'Practitioner') AS provider_id,
    unresolved(r.encounter.reference, 'Encounter') + unresolved(r.performer[1].reference, 'Practitioner') AS unresolved,
    note_text,
    r.presentedForm[1].title AS note_title
FROM timed
