-- grain: one row per record to be linked, with what blocking needs beside the features
-- A phone or an identifier that many records share is a household's, a ward's or a placeholder, so it names nobody.
SELECT
    patient_key, given_name, family_name, birth_date, gender, address, postal_code, city,
    CASE WHEN count(*) OVER (PARTITION BY national_id) <= $shared THEN national_id END AS national_id,
    CASE WHEN count(*) OVER (PARTITION BY phone) <= $shared THEN phone END AS phone,
    CASE WHEN count(*) OVER (PARTITION BY email) <= $shared THEN email END AS email,
    split_part(email, '@', 1) AS mailbox,
    resident_id(national_id) AS id_proved,
    left(birth_date, 4) AS birth_year,
    name_pair,
    CASE WHEN count(*) OVER (PARTITION BY name_pair) <= $rare THEN name_pair END AS rare_name
FROM (
    SELECT *, least(given_name, family_name) || ' ' || greatest(given_name, family_name) AS name_pair
    FROM $patients
)
