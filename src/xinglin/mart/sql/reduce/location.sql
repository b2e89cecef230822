-- grain: one row per place
SELECT DISTINCT location_id, NULL AS address_1, NULL AS address_2, city, state, zip, NULL AS county,
    NULL AS location_source_value, 0 AS country_concept_id, country AS country_source_value, NULL AS latitude,
    NULL AS longitude
FROM part_place
ORDER BY location_id
