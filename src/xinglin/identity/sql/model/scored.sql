-- grain: one row per pair of records that may be one person's, with what speaks against linking it unasked
-- Engines differ in the last bits of a sum, so what is decided is decided on rounded numbers.
-- Brothers and sisters often share one of two characters of their given names, so that (level 2) is no agreement here.
-- Identifiers that contradict each other, or a given name and a birth date that both do, settle it: no pair.
SELECT
    least(patient_key_l, patient_key_r) AS patient_key_l,
    greatest(patient_key_l, patient_key_r) AS patient_key_r,
    round(match_probability, 6) AS probability,
    round(match_weight, 3) AS weight,
    CASE
        WHEN gamma_given_name IN (0, 2) AND gamma_national_id < 1 THEN 'given-name'
        WHEN gamma_gender = 0 AND gamma_birth_date <= 1 THEN 'gender-and-birth-date'
    END AS objection
FROM $predicted
WHERE round(match_probability, 6) >= $lower
    AND NOT coalesce(id_proved_l AND id_proved_r AND national_id_l != national_id_r, false)
    AND NOT (gamma_given_name = 0 AND gamma_national_id = 0)
    AND NOT (gamma_given_name = 0 AND gamma_national_id < 1 AND gamma_birth_date <= 1)
