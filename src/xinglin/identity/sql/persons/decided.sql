-- grain: one row per decision about two records that are compared, in the order they were taken
SELECT patient_key_l, patient_key_r, action
FROM (
    SELECT sequence, action,
        coalesce(l.representative, patient_key_l) AS patient_key_l,
        coalesce(r.representative, patient_key_r) AS patient_key_r
    FROM decision
    LEFT JOIN declared AS l ON l.patient_key = decision.patient_key_l
    LEFT JOIN declared AS r ON r.patient_key = decision.patient_key_r
)
SEMI JOIN comparable AS one ON one.patient_key = patient_key_l
SEMI JOIN comparable AS other ON other.patient_key = patient_key_r
WHERE patient_key_l != patient_key_r
ORDER BY sequence
