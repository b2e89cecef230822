-- grain: one row per ImagingStudy, or per fragment of one
WITH timed AS (
    SELECT
        *,
        coalesce(known(r.started), known(r.series[1].started)) AS start_text,
        coalesce(r.modality[1], r.series[1].modality) AS modality,
        is_fragment(r.meta.tag) AS is_fragment,
        extension_of(r.extension, 'urn:xinglin:local-time').valueTime AS at_clock
    FROM parsed
)
SELECT
    resource_key AS row_id,
    resource_key,
    source,
    row,
    person_id,
    CASE WHEN is_fragment THEN 'image_instance' ELSE 'procedure_occurrence' END AS home,
    is_fragment AS fixed,
    coalesce(r.procedureCode[1], '{"coding":[' || modality || ']}') AS code,
    CASE WHEN r.status IS DISTINCT FROM 'available'
        THEN status_reason(r.status, ['registered', 'cancelled', 'entered-in-error', 'unknown']) END AS why,
    fhir_day(start_text) AS start_date,
    coalesce(
        fhir_moment(start_text),
        CASE WHEN length(start_text) = 10 AND start_text = r.started THEN fhir_moment(r.started || 'T' || at_clock) END
    ) AS start_datetime,
    is_placeholder(r.started) OR is_placeholder(r.series[1].started) AS odd_start,
    reference_key(r.encounter.reference, 'Encounter') AS visit_occurrence_id,
    reference_key(coalesce(r.interpreter[1].reference, r.referrer.reference), 'Practitioner') AS provider_id,
    unresolved(r.encounter.reference, 'Encounter')
        + unresolved(coalesce(r.interpreter[1].reference, r.referrer.reference), 'Practitioner') AS unresolved
FROM timed
