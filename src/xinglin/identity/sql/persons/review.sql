-- grain: the likeliest pair of records of every two persons that may be one and about whom nobody has decided
WITH open_pair AS (
    SELECT
        pair.patient_key_l, pair.patient_key_r, pair.probability,
        least(l.person_id, r.person_id) AS person_a, greatest(l.person_id, r.person_id) AS person_b
    FROM pair
    JOIN person AS l ON l.patient_key = pair.patient_key_l
    JOIN person AS r ON r.patient_key = pair.patient_key_r AND r.person_id != l.person_id
    WHERE pair.probability >= $lower
), decided AS (
    SELECT DISTINCT least(l.person_id, r.person_id) AS person_a, greatest(l.person_id, r.person_id) AS person_b
    FROM decision
    JOIN person AS l ON l.patient_key = decision.patient_key_l
    JOIN person AS r ON r.patient_key = decision.patient_key_r
)
SELECT patient_key_l, patient_key_r, probability
FROM open_pair
ANTI JOIN decided USING (person_a, person_b)
QUALIFY row_number() OVER (PARTITION BY person_a, person_b ORDER BY probability DESC, patient_key_l, patient_key_r) = 1
ORDER BY patient_key_l, patient_key_r
