-- grain: one row per place that an Organization of the file names first
SELECT DISTINCT place_key(a) AS location_id, a.city AS city, a.state AS state, place_zip(a) AS zip,
    a.country AS country
FROM (SELECT r.address[1] AS a FROM parsed)
WHERE place_key(a) IS NOT NULL
ORDER BY location_id
