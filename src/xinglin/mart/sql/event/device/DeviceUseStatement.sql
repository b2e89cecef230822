-- grain: one row per DeviceUseStatement
WITH timed AS (
    SELECT
        *,
        coalesce(
            known(r.timingDateTime),
            known_in(r.timingPeriod),
            known_at(r.timingTiming),
            known(r.recordedOn)
        ) AS start_text,
        known(r.timingPeriod.end) AS end_text
    FROM parsed
)
SELECT
    resource_key AS row_id,
    resource_key,
    source,
    row,
    person_id,
    'device_exposure' AS home,
    device_behind(r.device.reference, r.contained) AS code,
    CASE WHEN r.status IS NULL OR r.status NOT IN ('active', 'completed')
        THEN status_reason(r.status, ['entered-in-error', 'intended', 'stopped', 'on-hold']) END AS why,
    fhir_day(start_text) AS start_date,
    fhir_moment(start_text) AS start_datetime,
    fhir_day(end_text) AS end_date,
    fhir_moment(end_text) AS end_datetime,
    is_placeholder(r.timingDateTime) OR is_placeholder(r.timingPeriod.start) AS odd_start,
    is_placeholder(r.timingPeriod.end) AS odd_end,
    reference_key(r.source.reference, 'Practitioner') AS provider_id,
    unresolved(r.source.reference, 'Practitioner') AS unresolved
FROM timed
