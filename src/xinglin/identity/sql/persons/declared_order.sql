-- grain: one row per record that its site declares to be one with another, the one that best stands for them first
SELECT patient_key
FROM patient
WHERE patient_key IN (SELECT unnest($$keys))
ORDER BY same_as IS NOT NULL OR patient_key IN (
        SELECT try_cast(unnest(string_split(replaces, chr(10))) AS BIGINT) FROM patient WHERE replaces IS NOT NULL
    ),
    (given_name IS NULL)::INTEGER + (family_name IS NULL)::INTEGER + (birth_date IS NULL)::INTEGER
        + (gender IS NULL)::INTEGER + (national_id IS NULL)::INTEGER + (phone IS NULL)::INTEGER
        + (email IS NULL)::INTEGER + (address IS NULL)::INTEGER,
    patient_key
