-- grain: one row per pair of records of one group that cannot be one person's, though a chain of links joins them
-- A doubt is settled where a record with the number of one of the two is linked with the other.
WITH judged AS (
    SELECT patient_key_l, patient_key_r, number_same, $veto AS veto, $doubt AS doubt FROM grouped_fact
), same_number AS (
    SELECT patient_key_l AS one, patient_key_r AS other FROM judged WHERE number_same
    UNION ALL
    SELECT patient_key_r, patient_key_l FROM judged WHERE number_same
), linked AS (
    SELECT patient_key_l AS one, patient_key_r AS other FROM pair WHERE probability >= $upper AND objection IS NULL
    UNION ALL
    SELECT patient_key_r, patient_key_l FROM pair WHERE probability >= $upper AND objection IS NULL
), settled AS (
    SELECT least(n.one, k.other) AS patient_key_l, greatest(n.one, k.other) AS patient_key_r
    FROM same_number AS n JOIN linked AS k ON k.one = n.other
)
SELECT patient_key_l, patient_key_r FROM judged WHERE veto IS NOT NULL
UNION
SELECT patient_key_l, patient_key_r FROM judged ANTI JOIN settled USING (patient_key_l, patient_key_r) WHERE doubt IS NOT NULL
ORDER BY ALL
