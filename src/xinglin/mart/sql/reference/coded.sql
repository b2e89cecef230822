-- grain: one row per Medication or Device of one site
SELECT key, CASE kind
    WHEN 'Medication' THEN from_json(resource, '{"code":"JSON"}').code
    ELSE from_json(resource, '{"type":"JSON"}').type END AS code
FROM current_resource
WHERE kind IN ('Device', 'Medication')
ORDER BY key
