-- grain: one row per Patient of a person whose year of birth some current Patient tells
WITH born AS (
    SELECT DISTINCT p.person_id
    FROM current_resource c JOIN person_map p ON p.patient_key = c.key
    WHERE fhir_day(c.resource ->> '$.birthDate') IS NOT NULL
)
SELECT patient_key, person_id FROM person_map SEMI JOIN born USING (person_id)
ORDER BY patient_key
