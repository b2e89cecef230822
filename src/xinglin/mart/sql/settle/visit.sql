-- grain: one row per visit, its references settled
SELECT
    e.* REPLACE (
        t.key AS provider_id,
        s.key AS care_site_id
    ),
    (e.provider_id IS NOT NULL AND t.key IS NULL) OR (e.care_site_id IS NOT NULL AND s.key IS NULL) AS is_changed,
    (e.provider_id IS NOT NULL AND t.key IS NULL)::INTEGER
        + (e.care_site_id IS NOT NULL AND s.key IS NULL)::INTEGER AS lost,
    false AS is_dropped
FROM {rows} e
LEFT JOIN target t ON t.kind = 'provider' AND t.key = e.provider_id
LEFT JOIN target s ON s.kind = 'care_site' AND s.key = e.care_site_id
