-- grain: one row per pair of records of one site that the site itself says are one person's: by one patient number, or
-- by a link from one to the other. A number that many records share, or that is on two records which contradict each
-- other, says nothing.
WITH numbered AS (
    SELECT patient_key, site, birth_date, gender, name_suffix, birth_order,
        known_given(given_name, family_name) AS given_name, known_family(given_name, family_name) AS family_name,
        split_part(number, '|', 1) AS system, substr(number, strpos(number, '|') + 1) AS value
    FROM (SELECT * REPLACE (known_date(birth_date) AS birth_date), unnest(string_split(numbers, chr(10))) AS number FROM patient)
), several AS (
    SELECT site, value FROM numbered GROUP BY site, value HAVING count(DISTINCT patient_key) BETWEEN 2 AND $shared
), paired AS (
    SELECT l.site, l.value, l.patient_key AS patient_key_l, r.patient_key AS patient_key_r,
        coalesce(l.given_name != r.given_name AND jaro_winkler_similarity(l.given_name, r.given_name) < 0.8, false) AS given_differs,
        coalesce(l.family_name != r.family_name AND jaro_winkler_similarity(l.family_name, r.family_name) < 0.8, false)
            AS family_differs,
        coalesce(l.given_name = r.family_name OR l.family_name = r.given_name, false) AS crossed,
        coalesce(l.birth_date = r.birth_date, false) AS date_same,
        coalesce(dates_apart(l.birth_date, r.birth_date), false) AS date_apart,
        coalesce(l.gender != r.gender, false) AS sex_differs,
        coalesce(l.name_suffix != r.name_suffix, false) OR coalesce(l.birth_order != r.birth_order, false) AS order_differs
    FROM numbered AS l
    SEMI JOIN several ON several.site = l.site AND several.value = l.value
    JOIN numbered AS r ON r.site = l.site AND r.value = l.value AND l.patient_key < r.patient_key
    WHERE l.system = r.system OR '$own' IN (l.system, r.system)
), judged AS (
    SELECT *,
        order_differs
        OR (NOT crossed AND given_differs AND (family_differs OR NOT date_same OR sex_differs))
        OR (date_apart AND (given_differs OR family_differs OR sex_differs)) AS contradicts
    FROM paired
), same_number AS (
    SELECT DISTINCT patient_key_l, patient_key_r FROM judged
    ANTI JOIN (SELECT DISTINCT site, value FROM judged WHERE contradicts) AS void USING (site, value)
), linked AS (
    SELECT patient_key, same_as AS other FROM patient WHERE same_as IS NOT NULL
    UNION ALL
    SELECT patient_key, try_cast(unnest(string_split(replaces, chr(10))) AS BIGINT) FROM patient WHERE replaces IS NOT NULL
), merged AS (
    SELECT least(l.patient_key, r.patient_key) AS patient_key_l, greatest(l.patient_key, r.patient_key) AS patient_key_r
    FROM linked AS l
    JOIN patient AS r ON r.patient_key = l.other AND r.patient_key != l.patient_key
)
SELECT DISTINCT least(patient_key_l, patient_key_r) AS patient_key_l, greatest(patient_key_l, patient_key_r) AS patient_key_r
FROM (FROM same_number UNION ALL FROM merged)
ORDER BY ALL
