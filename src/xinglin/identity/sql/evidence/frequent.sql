-- grain: one row per value that more records of one institution (or of the region) hold than chance and households allow
-- Birth dates are measured against the dates within a month around them; the rest against the size of a household.
WITH dated AS (
    SELECT site, birth_date AS value, epoch(try_cast(birth_date AS DATE)) // 86400 AS day,
        count(DISTINCT concat(given_name, ' ', family_name)) AS persons
    FROM described WHERE birth_date IS NOT NULL GROUP BY ALL
), around AS (
    SELECT site, value, persons,
        (sum(persons) OVER (PARTITION BY site ORDER BY day RANGE BETWEEN 30 PRECEDING AND 30 FOLLOWING) - persons) / 60 AS usual
    FROM dated WHERE day IS NOT NULL
), crowded AS (
    SELECT 'phone' AS kind, phone AS value FROM described WHERE phone IS NOT NULL GROUP BY phone HAVING count(*) > $shared
    UNION ALL
    SELECT 'email', email FROM described WHERE email IS NOT NULL GROUP BY email HAVING count(*) > $shared
    UNION ALL
    SELECT 'national_id', national_id FROM described WHERE national_id IS NOT NULL GROUP BY national_id HAVING count(*) > $shared
    UNION ALL
    SELECT 'address', address FROM described WHERE address IS NOT NULL GROUP BY address HAVING count(*) > $shared
), holders AS (
    SELECT kind, value, concat(given_name, ' ', birth_date) AS holder
    FROM crowded JOIN described ON value = CASE kind
        WHEN 'phone' THEN phone WHEN 'email' THEN email WHEN 'national_id' THEN national_id ELSE address END
)
SELECT 'birth_date' AS kind, site, value FROM around WHERE persons >= 5 AND persons > usual + 6 * sqrt(usual) + 4
UNION ALL
SELECT kind, NULL, value FROM holders GROUP BY ALL HAVING count(DISTINCT holder) > $shared
UNION ALL
-- A default number that an institution gives to a few: other names and other birth dates every time.
SELECT 'national_id', site, national_id FROM described WHERE national_id IS NOT NULL
GROUP BY site, national_id
HAVING count(*) > 3 AND count(DISTINCT given_name) > 3 AND count(DISTINCT coalesce(birth_date, given_name)) > 3
UNION ALL
-- A name and a date that one institution gives over and over, and nothing else: nobody knew who it was.
SELECT 'name', site, concat(given_name, '|', family_name, '|', birth_date) FROM described
WHERE phone IS NULL AND email IS NULL AND address IS NULL AND national_id IS NULL
    AND coalesce(given_name, family_name) IS NOT NULL
GROUP BY ALL HAVING count(*) >= 8 OR (count(*) >= 3 AND count(DISTINCT numbers) = count(*))
