-- grain: one row per Encounter
WITH timed AS (
    SELECT
        *,
        known_in(r.period) AS start_text,
        coalesce(known(r.period.end), known(r.period.start)) AS end_text,
        nullif(reference_key(r.partOf.reference, 'Encounter'), resource_key) AS part_of
    FROM parsed
)
SELECT
    resource_key AS row_id,
    resource_key,
    source,
    row,
    person_id,
    CASE WHEN part_of IS NULL THEN 'visit_occurrence' ELSE 'part_visit' END AS home,
    true AS fixed,
    CASE WHEN r.status IS NULL OR r.status NOT IN ('finished', 'in-progress', 'arrived', 'triaged')
        THEN status_reason(r.status, ['planned', 'onleave', 'cancelled', 'entered-in-error', 'unknown'])
    END AS why,
    fhir_day(start_text) AS start_date,
    fhir_moment(start_text) AS start_datetime,
    fhir_day(end_text) AS end_date,
    fhir_moment(end_text) AS end_datetime,
    is_placeholder(r.period.start) AS odd_start,
    is_placeholder(r.period.end) AS odd_end,
    reference_key(r.participant[1].individual.reference, 'Practitioner') AS provider_id,
    reference_key(r.serviceProvider.reference, 'Organization') AS care_site_id,
    unresolved(r.participant[1].individual.reference, 'Practitioner')
        + unresolved(r.serviceProvider.reference, 'Organization') AS unresolved,
    part_of,
    r.class.code AS visit_class,
    is_act_code(r.class.system) AS is_visit_class,
    coalesce(r.hospitalization.admitSource.coding[1].code, r.hospitalization.admitSource.text) AS admitted_from,
    coalesce(r.hospitalization.dischargeDisposition.coding[1].code, r.hospitalization.dischargeDisposition.text)
        AS discharged_to
FROM timed
