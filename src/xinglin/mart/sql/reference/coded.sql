-- grain: one row per Medication, Device or Specimen of one site
WITH current AS (
    SELECT
        key,
        kind,
        from_json(
            resource,
            '{"status":"VARCHAR","implicitRules":"VARCHAR","code":"JSON","type":"JSON","subject":{"reference":"VARCHAR"},
            "ingredient":[{"itemCodeableConcept":"JSON","itemReference":{"reference":"VARCHAR"},"isActive":"VARCHAR"}],
            "contained":[{"id":"VARCHAR","code":"JSON"}]}'
        ) AS r
    FROM current_resource
    WHERE kind IN ('Device', 'Medication', 'Specimen') AND NOT contains(resource, '"modifierExtension"')
)
SELECT
    key,
    CASE kind
        WHEN 'Medication' THEN to_json(codes_of_medication(r, r.contained))::VARCHAR
        WHEN 'Device' THEN r.type::VARCHAR
        ELSE r.subject.reference
    END AS code
FROM current
WHERE r.implicitRules IS NULL AND r.status IS DISTINCT FROM 'entered-in-error'
ORDER BY key
