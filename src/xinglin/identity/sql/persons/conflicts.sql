-- grain: one row per pair of records of one group that cannot be one person's, though a chain of links joins them
SELECT a.patient_key AS patient_key_l, b.patient_key AS patient_key_r
FROM grouped AS a
JOIN grouped AS b ON a.grp = b.grp AND a.patient_key < b.patient_key
WHERE (a.id_proved AND b.id_proved AND a.national_id != b.national_id)
    OR (
        -- Shorter numbers are not told apart well enough from local ones to break a chain.
        least(length(a.national_id), length(b.national_id)) >= 9
        AND levenshtein(a.national_id, b.national_id) > 2
        AND jaro_winkler_similarity(a.given_name, b.given_name) < 0.8
        AND NOT (a.given_name = b.family_name AND a.family_name = b.given_name)
    )
    OR (
        a.gender != b.gender
        AND left(a.birth_date, 4) != left(b.birth_date, 4)
        AND levenshtein(a.birth_date, b.birth_date) > 1
    )
