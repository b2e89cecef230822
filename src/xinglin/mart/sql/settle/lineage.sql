-- grain: one row per row of lineage, without those of dropped costs
SELECT
    e.*,
    e.table_name = 'cost' AND d.row_id IS NOT NULL AS is_changed,
    0 AS lost,
    e.table_name = 'cost' AND d.row_id IS NOT NULL AS is_dropped
FROM {rows} e
LEFT JOIN dropped d ON d.row_id = e.row_id
