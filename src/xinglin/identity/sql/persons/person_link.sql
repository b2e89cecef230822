-- grain: one row per record: its person and how surely it belongs there
WITH inside AS (
    SELECT pair.patient_key_l, pair.patient_key_r, pair.probability
    FROM pair
    JOIN person AS l ON l.patient_key = pair.patient_key_l
    JOIN person AS r ON r.patient_key = pair.patient_key_r AND r.person_id = l.person_id
    WHERE pair.probability >= $upper AND pair.objection IS NULL
), best AS (
    SELECT patient_key, max(probability) AS probability
    FROM (
        SELECT patient_key_l AS patient_key, probability FROM inside
        UNION ALL
        SELECT patient_key_r, probability FROM inside
    )
    GROUP BY patient_key
)
SELECT
    patient.patient_key, patient.site, patient.local_id, person.person_id,
    coalesce(best.probability, 1.0) AS probability,
    CASE
        WHEN best.probability IS NOT NULL THEN 'model'
        WHEN patient_key IN (SELECT patient_key FROM declared UNION ALL SELECT representative FROM declared)
            THEN 'declared'
        WHEN person.records = 1 THEN 'alone'
        ELSE 'decision'
    END AS method
FROM patient
JOIN person USING (patient_key)
LEFT JOIN best USING (patient_key)
ORDER BY patient.patient_key
