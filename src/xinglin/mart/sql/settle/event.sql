-- grain: one row per row of an event table, its references settled
SELECT
    e.* REPLACE (
        v.visit_id AS visit_occurrence_id,
        v.detail_id AS visit_detail_id,
        t.key AS provider_id
    ),
    coalesce(e.visit_occurrence_id <> v.visit_id OR v.detail_id IS NOT NULL, e.visit_occurrence_id IS NOT NULL)
        OR (e.provider_id IS NOT NULL AND t.key IS NULL) AS is_changed,
    (e.visit_occurrence_id IS NOT NULL AND v.key IS NULL)::INTEGER
        + (e.provider_id IS NOT NULL AND t.key IS NULL)::INTEGER AS lost,
    false AS is_dropped
FROM {rows} e
LEFT JOIN visit_target v ON v.key = e.visit_occurrence_id AND v.person_id = e.person_id
LEFT JOIN target t ON t.kind = 'provider' AND t.key = e.provider_id
