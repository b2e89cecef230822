-- grain: one row per record to be linked, with what blocking needs beside the features
-- A phone, an e-mail or an identifier that many records share is a household's, a ward's or a placeholder: it names nobody.
WITH named AS (
    SELECT *, least(given_name, family_name) || ' ' || greatest(given_name, family_name) AS name_pair
    FROM $patients
), common_name AS (
    SELECT name_pair FROM named GROUP BY name_pair HAVING count(*) > $rare
), shared_id AS (
    SELECT national_id FROM named GROUP BY national_id HAVING count(*) > $shared
), shared_phone AS (
    SELECT phone FROM named GROUP BY phone HAVING count(*) > $shared
), shared_email AS (
    SELECT email FROM named GROUP BY email HAVING count(*) > $shared
)
SELECT
    patient_key, given_name, family_name, birth_date, gender, address, postal_code, city,
    CASE WHEN shared_id.national_id IS NULL THEN named.national_id END AS national_id,
    CASE WHEN shared_phone.phone IS NULL THEN named.phone END AS phone,
    CASE WHEN shared_email.email IS NULL THEN named.email END AS email,
    split_part(named.email, '@', 1) AS mailbox,
    resident_id(named.national_id) AS id_proved,
    left(birth_date, 4) AS birth_year,
    named.name_pair,
    CASE WHEN common_name.name_pair IS NULL THEN named.name_pair END AS rare_name
FROM named
LEFT JOIN common_name ON common_name.name_pair = named.name_pair
LEFT JOIN shared_id ON shared_id.national_id = named.national_id
LEFT JOIN shared_phone ON shared_phone.phone = named.phone
LEFT JOIN shared_email ON shared_email.email = named.email
