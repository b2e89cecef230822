-- grain: one row per pair of records that may be one person's: its evidence, and the doubt that keeps it from being linked
-- Engines differ in the last bits of a sum, so thresholds are applied to rounded numbers. A veto leaves the pair out.
SELECT patient_key_l, patient_key_r, weight, $doubt AS objection
FROM fact
WHERE $veto IS NULL
