-- grain: one row per Device; R4 gives it no day of use, so none becomes a row by itself
SELECT
    resource_key AS row_id,
    resource_key,
    source,
    row,
    person_id,
    'device_exposure' AS home,
    r.type AS code,
    CASE WHEN r.status = 'entered-in-error' THEN 'status-entered-in-error' ELSE 'no-date' END AS why
FROM parsed
