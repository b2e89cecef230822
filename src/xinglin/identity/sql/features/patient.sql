-- grain: one row per current Patient resource, with the features that linkage compares
SELECT
    patient_key, site, local_id,
    letters(given_name) AS given_name,
    letters(family_name) AS family_name,
    CASE WHEN regexp_full_match(birth_date, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN birth_date END AS birth_date,
    CASE WHEN gender IN ('male', 'female', 'other') THEN gender END AS gender,
    CASE
        WHEN regexp_full_match(national_id, '[1-9][0-9]{14}') THEN long_resident_id(national_id)
        ELSE national_id
    END AS national_id,
    phone_number(phone) AS phone,
    nullif(regexp_replace(folded(email), '\s+', '', 'g'), '') AS email,
    words(address_written) AS address,
    letters(postal_code) AS postal_code,
    letters(city) AS city,
    numbers, same_as, replaces,
    name_suffix,
    CASE WHEN birth_order BETWEEN 1 AND 12 THEN birth_order END AS birth_order,
    nullif(newborn_name(letters(given_name)), false) AS newborn,
    identifiers
FROM (
    SELECT
        *,
        coalesce(declared, CASE WHEN resident_id(undeclared) THEN undeclared END, identifier_value(passport)) AS national_id
    FROM (
        SELECT *, identifier_value(declared_id) AS declared, letters(undeclared_id) AS undeclared FROM suffixed
    )
)
