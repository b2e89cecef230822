-- grain: one row per resource and end of its event that cannot be true
WITH odd AS (
    SELECT
        source,
        row,
        resource_key,
        bool_or(odd_start) AS is_start,
        bool_or(odd_end) AS is_end
    FROM routed
    WHERE (odd_start OR odd_end) AND (target IS NOT NULL OR why = 'date-implausible')
    GROUP BY source, row, resource_key
)
SELECT
    f.site,
    f.batch,
    f.file,
    f.resource_type,
    row,
    resource_key,
    field
FROM (
    SELECT *, 'start' AS field FROM odd WHERE is_start
    UNION ALL
    SELECT *, 'end' FROM odd WHERE is_end
)
JOIN landed_file f USING (source)
ORDER BY site, batch, file, row, field
