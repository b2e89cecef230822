-- grain: one row per Organization
SELECT resource_key AS care_site_id, r.name AS care_site_name, 0 AS place_of_service_concept_id,
    place_key(r.address[1]) AS location_id, site || '/' || resource_id AS care_site_source_value,
    coalesce(r.type[1].coding[1].code, r.type[1].text) AS place_of_service_source_value
FROM parsed
ORDER BY care_site_id
