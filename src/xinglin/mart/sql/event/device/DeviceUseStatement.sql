-- grain: one row per DeviceUseStatement
WITH timed AS (
    SELECT *, coalesce(r.timingDateTime, r.timingPeriod.start, r.recordedOn) AS start_text FROM parsed
)
SELECT resource_key AS row_id, resource_key, source, row, person_id, 'device_exposure' AS home,
    code_behind(r.device.reference, 'Device', r.contained) AS code,
    CASE WHEN r.status IS NULL OR r.status NOT IN ('active', 'completed')
        THEN status_reason(r.status, ['entered-in-error', 'intended', 'stopped', 'on-hold']) END AS why,
    fhir_day(start_text) AS start_date, fhir_moment(start_text) AS start_datetime,
    fhir_day(r.timingPeriod.end) AS end_date, fhir_moment(r.timingPeriod.end) AS end_datetime,
    reference_key(r.source.reference, 'Practitioner') AS provider_id,
    unresolved(r.source.reference, 'Practitioner') AS unresolved
FROM timed
