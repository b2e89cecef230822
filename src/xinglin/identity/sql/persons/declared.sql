-- grain: one row per pair of records of one site that the site itself says are one person's: by one patient number, or
-- by a link from one to the other. A number that many records share, or whose records contradict each other, says nothing.
WITH numbered AS (
    SELECT patient_key, site, given_name, birth_date, gender,
        split_part(number, '|', 1) AS system, substr(number, strpos(number, '|') + 1) AS value
    FROM (SELECT patient_key, site, given_name, birth_date, gender, unnest(string_split(numbers, chr(10))) AS number FROM patient)
), several AS (
    SELECT site, value FROM numbered GROUP BY site, value HAVING count(DISTINCT patient_key) BETWEEN 2 AND $shared
), same_number AS (
    SELECT DISTINCT l.patient_key AS patient_key_l, r.patient_key AS patient_key_r
    FROM numbered AS l
    SEMI JOIN several ON several.site = l.site AND several.value = l.value
    JOIN numbered AS r ON r.site = l.site AND r.value = l.value AND l.patient_key < r.patient_key
    WHERE (l.system = r.system OR '$own' IN (l.system, r.system))
        AND coalesce((l.birth_date != r.birth_date)::INTEGER, 0) + coalesce((l.gender != r.gender)::INTEGER, 0)
            + coalesce((l.given_name != r.given_name)::INTEGER, 0) < 2
), linked AS (
    SELECT l.patient_key AS patient_key_l, r.patient_key AS patient_key_r
    FROM patient AS l
    JOIN patient AS r ON r.patient_key = l.same_as AND r.patient_key != l.patient_key
)
SELECT DISTINCT least(patient_key_l, patient_key_r) AS patient_key_l, greatest(patient_key_l, patient_key_r) AS patient_key_r
FROM (FROM same_number UNION ALL FROM linked)
ORDER BY ALL
