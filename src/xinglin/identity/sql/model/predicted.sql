-- grain: one row per pair that Splink predicted, the smaller key left, with its evidence in bits, without the prior
SELECT
    least(patient_key_l, patient_key_r) AS patient_key_l,
    greatest(patient_key_l, patient_key_r) AS patient_key_r,
    round(match_weight - ($prior), 3) AS weight
FROM $predicted
