-- grain: one row per Patient and date that cannot be true
WITH odd AS (
    SELECT *, 'birth' AS field FROM parsed WHERE is_birth_placeholder(r.birthDate)
    UNION ALL
    SELECT *, 'death' FROM parsed WHERE is_placeholder(r.deceasedDateTime)
)
SELECT
    f.site,
    f.batch,
    f.file,
    f.resource_type,
    row,
    resource_key,
    field
FROM odd
JOIN landed_file f USING (source)
ORDER BY site, batch, file, row, field
