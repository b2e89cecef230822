-- grain: one row per record to be linked, with placeholders taken out and numbers that contradict their own record set aside
-- A resident identity number (GB 11643-1999) holds a birth date (places 7 to 14) and the sex (place 17, odd for men).
WITH proved AS (
    SELECT *, resident_id(national_id) AS id_proved, known_date(birth_date) AS date_known
    FROM $patients
), judged AS (
    SELECT *,
        CASE
            WHEN NOT id_proved OR date_known IS NULL THEN false
            ELSE dates_apart(
                substr(national_id, 7, 4) || '-' || substr(national_id, 11, 2) || '-' || substr(national_id, 13, 2),
                date_known
            )
        END OR CASE
            WHEN NOT id_proved OR gender NOT IN ('male', 'female') THEN false
            ELSE (substr(national_id, 17, 1)::INTEGER % 2 = 1) != (gender = 'male')
        END AS number_of_another
    FROM proved
)
SELECT
    patient_key, site, gender,
    known_given(given_name, family_name) AS given_name,
    known_family(given_name, family_name) AS family_name,
    date_known AS birth_date,
    CASE WHEN NOT number_of_another THEN national_id END AS national_id,
    coalesce(id_proved AND NOT number_of_another, false) AS id_proved,
    coalesce(number_of_another, false) AS number_of_another,
    known_phone(phone) AS phone,
    email,
    known_address(address) AS address,
    postal_code, city, numbers, identifiers, name_suffix, birth_order,
    coalesce(newborn, false) AS newborn
FROM judged
