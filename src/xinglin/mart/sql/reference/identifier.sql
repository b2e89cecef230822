-- grain: one row per identifier of an Organization, Practitioner or Location of one site
WITH named AS (
    SELECT key, kind, unnest(from_json(resource, '{"identifier":[{"system":"VARCHAR","value":"VARCHAR"}]}').identifier) AS i
    FROM current_resource
    WHERE kind IN ('Location', 'Organization', 'Practitioner')
        AND NOT contains(resource, '"modifierExtension"')
)
SELECT kind, kind || '?identifier=' || coalesce(i.system || '|', '') || i.value AS reference, min(key) AS key
FROM named
WHERE i.value IS NOT NULL
GROUP BY kind, reference
ORDER BY kind, reference
