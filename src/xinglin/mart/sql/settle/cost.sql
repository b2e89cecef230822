-- grain: one row per cost, with the visit it belongs to; one without a visit is dropped, since OMOP requires it
SELECT
    e.* REPLACE (v.visit_id AS cost_event_id),
    v.visit_id IS NULL OR v.visit_id <> e.cost_event_id AS is_changed,
    0 AS lost,
    v.visit_id IS NULL AS is_dropped
FROM {rows} e
LEFT JOIN visit_target v ON v.key = e.cost_event_id
