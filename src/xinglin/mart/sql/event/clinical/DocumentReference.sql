-- grain: one row per DocumentReference
WITH timed AS (
    SELECT
        *,
        coalesce(known_in(r.context.period), known(r.date)) AS start_text,
        nullif(list_aggregate(list_filter(list_transform(
            list_filter(r.content, lambda f: starts_with(f.attachment.contentType, 'text/plain')),
            lambda f: try(decode(base64_bytes(f.attachment.data)))), lambda t: t IS NOT NULL),
            'string_agg', chr(10) || chr(10)), '') AS note_text
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
    r.type AS code,
    CASE
        WHEN r.docStatus = 'entered-in-error' THEN 'status-entered-in-error'
        WHEN r.status IS NULL OR r.status NOT IN ('current', 'superseded')
            THEN status_reason(r.status, ['entered-in-error'])
        WHEN r.docStatus = 'preliminary' THEN 'status-preliminary'
        WHEN note_text IS NULL THEN 'no-text'
    END AS why,
    fhir_day(start_text) AS start_date,
    fhir_moment(start_text) AS start_datetime,
    is_period_odd(r.context.period) OR is_placeholder(r.date) AS odd_start,
    reference_key(r.context.encounter[1].reference, 'Encounter') AS visit_occurrence_id,
    reference_key(r.author[1].reference, 'Practitioner') AS provider_id,
    unresolved(r.context.encounter[1].reference, 'Encounter')
        + unresolved(r.author[1].reference, 'Practitioner') AS unresolved,
    note_text,
    coalesce(r.content[1].attachment.title, r.description) AS note_title
FROM timed
