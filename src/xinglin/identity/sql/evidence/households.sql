-- grain: one row: how many pairs of records share a home, by what else they share
-- Of a home of very many records, an institution, twelve are looked at.
WITH homed AS (
    SELECT *, row_number() OVER (PARTITION BY address ORDER BY patient_key) AS place FROM comparable
    WHERE address IS NOT NULL AND birth_date IS NOT NULL AND given_name IS NOT NULL
), home AS (
    SELECT l.given_name AS given_l, r.given_name AS given_r, l.family_name AS family_l, r.family_name AS family_r,
        l.birth_date AS date_l, r.birth_date AS date_r
    FROM homed AS l JOIN homed AS r ON r.address = l.address AND r.patient_key > l.patient_key
    WHERE l.place <= 12 AND r.place <= 12 AND l.script = r.script
), born AS (
    SELECT *, row_number() OVER (PARTITION BY birth_date, postal_code ORDER BY patient_key) AS place FROM comparable
    WHERE birth_date IS NOT NULL AND postal_code IS NOT NULL AND given_name IS NOT NULL
), neighbour AS (
    SELECT l.given_name AS given_l, r.given_name AS given_r, l.family_name AS family_l, r.family_name AS family_r
    FROM born AS l
    JOIN born AS r ON r.birth_date = l.birth_date AND r.postal_code = l.postal_code AND r.patient_key > l.patient_key
    WHERE l.place <= 12 AND r.place <= 12 AND l.script = r.script
        AND (l.address = r.address OR l.family_name = r.family_name)
)
SELECT
    (SELECT count(*) FROM neighbour WHERE given_l = given_r),
    (SELECT count(*) FROM neighbour WHERE jaro_winkler_similarity(given_l, given_r) < 0.8
        AND NOT coalesce(given_l = family_r OR given_r = family_l, false)),
    (SELECT count(*) FROM home WHERE dates_apart(date_l, date_r) AND jaro_winkler_similarity(given_l, given_r) < 0.8
        AND NOT coalesce(given_l = family_r OR given_r = family_l, false))
