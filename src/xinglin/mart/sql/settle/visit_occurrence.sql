-- grain: one row per part of a stay whose whole gave no row
SELECT p.* EXCLUDE (site, batch, file, row, resource_type, part_of) REPLACE (
    t.key AS provider_id,
    s.key AS care_site_id
)
FROM part_visit p
JOIN visit_part v ON v.part_id = p.visit_occurrence_id AND v.visit_id = v.part_id
LEFT JOIN target t ON t.kind = 'provider' AND t.key = p.provider_id
LEFT JOIN target s ON s.kind = 'care_site' AND s.key = p.care_site_id
ORDER BY person_id, visit_occurrence_id
