-- grain: one row per place that a Location of the file names
SELECT DISTINCT place_key(r.address) AS location_id, r.address.city AS city, r.address.state AS state,
    place_zip(r.address) AS zip, r.address.country AS country
FROM parsed
WHERE place_key(r.address) IS NOT NULL
ORDER BY location_id
