-- grain: one row: how many pairs of records share a home, a phone or an e-mail, by what else they share
-- Of a contact of very many records, an institution's, twelve are looked at.
WITH contact AS (
    SELECT patient_key, script, given_name, family_name, birth_date, concat('a', address) AS contact FROM comparable
    WHERE address IS NOT NULL
    UNION ALL
    SELECT patient_key, script, given_name, family_name, birth_date, concat('p', phone) FROM comparable WHERE phone IS NOT NULL
    UNION ALL
    SELECT patient_key, script, given_name, family_name, birth_date, concat('e', email) FROM comparable WHERE email IS NOT NULL
    UNION ALL
    SELECT patient_key, script, given_name, family_name, birth_date, concat('f', postal_code, family_name, birth_date)
    FROM comparable WHERE postal_code IS NOT NULL AND family_name IS NOT NULL
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY contact ORDER BY patient_key) AS place FROM contact
    WHERE birth_date IS NOT NULL AND given_name IS NOT NULL
), paired AS (
    SELECT DISTINCT l.patient_key AS patient_key_l, r.patient_key AS patient_key_r,
        l.given_name = r.given_name AS given_same,
        jaro_winkler_similarity(l.given_name, r.given_name) < 0.8
            AND NOT coalesce(l.given_name = r.family_name OR l.family_name = r.given_name, false) AS given_different,
        l.birth_date = r.birth_date AS date_same,
        dates_apart(l.birth_date, r.birth_date) AS date_apart
    FROM numbered AS l
    JOIN numbered AS r ON r.contact = l.contact AND r.patient_key > l.patient_key
    WHERE l.place <= 12 AND r.place <= 12 AND l.script = r.script
)
SELECT
    count(*) FILTER (date_same AND given_same),
    count(*) FILTER (date_same AND given_different),
    count(*) FILTER (date_apart AND given_different)
FROM paired
