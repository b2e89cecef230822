-- grain: one row per pair of records of `$pairs`: what agrees and what contradicts, as the rules of evidence.contradictions ask
SELECT
    p.*,
    coalesce(l.national_id = r.national_id, false) OR coalesce(l.card_1 = r.card_1, false)
        OR coalesce(l.card_2 = r.card_2, false) AS number_same,
    coalesce(l.id_proved AND r.id_proved AND l.national_id != r.national_id, false) AS numbers_proved_apart,
    coalesce(levenshtein(l.national_id, r.national_id) > 2, false)
        OR coalesce(levenshtein(l.card_1, r.card_1) > 2, false) OR coalesce(levenshtein(l.card_2, r.card_2) > 2, false)
        AS number_differs,
    coalesce(l.birth_date = r.birth_date, false) AS date_same,
    coalesce(l.birth_date != r.birth_date AND NOT dates_apart(l.birth_date, r.birth_date), false) AS date_slip,
    coalesce(dates_apart(l.birth_date, r.birth_date), false) AS date_apart,
    coalesce(right(l.birth_date, 6) = right(r.birth_date, 6)
        AND abs(l.birth_year::INTEGER - r.birth_year::INTEGER) >= 10, false) AS date_decades,
    coalesce(l.gender != r.gender, false) AS sex_differs,
    coalesce(l.given_name = r.given_name, false) AS given_same,
    coalesce(jaro_winkler_similarity(l.given_name, r.family_name) >= 0.9
        AND jaro_winkler_similarity(l.family_name, r.given_name) >= 0.9, false) AS swapped,
    l.given_name IS NULL OR r.given_name IS NULL AS given_unknown,
    (l.given_name IS NULL AND l.family_name IS NULL) OR (r.given_name IS NULL AND r.family_name IS NULL) AS unnamed,
    coalesce(l.given_name != r.given_name AND l.script = r.script, false) AND NOT swapped AS given_unlike,
    given_unlike AND (jaro_winkler_similarity(l.given_name, r.given_name) < 0.8
        AND NOT (least(length(l.given_name), length(r.given_name)) <= 3
            AND jaro_winkler_similarity(l.given_name, r.given_name) >= 0.66)) AS given_different,
    given_unlike AND NOT given_different AS given_near,
    coalesce(slip_of_name(l.given_name, r.given_name)
        OR ($typos AND least(l.given_seen, r.given_seen) <= 2 AND greatest(l.given_seen, r.given_seen) >= 20
            AND l.script = 'other'), false) AS given_slip,
    coalesce(jaro_winkler_similarity(l.family_name, r.family_name) < 0.8 AND l.script = r.script, false) AND NOT swapped
        AS family_different,
    coalesce(l.phone = r.phone, false) OR coalesce(l.address = r.address, false) OR coalesce(l.email = r.email, false)
        AS contact_same,
    l.site = r.site AND own_numbers_differ(l.numbers, r.numbers) AS own_numbers_differ,
    l.newborn AND r.newborn AS newborns,
    coalesce(l.name_suffix != r.name_suffix, false) AS generation_differs,
    (l.name_suffix IS NULL) != (r.name_suffix IS NULL) AS generation_of_one,
    coalesce(l.birth_order != r.birth_order, false) AS birth_order_differs
FROM $pairs AS p
JOIN comparable AS l ON l.patient_key = p.patient_key_l
JOIN comparable AS r ON r.patient_key = p.patient_key_r
