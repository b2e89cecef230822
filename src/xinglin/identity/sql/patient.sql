-- grain: one row per current Patient resource, with the features that linkage compares
WITH parsed AS (
    SELECT patient_key, site, local_id, from_json(resource, $shape) AS r
    FROM landed_patient
), chosen AS (
    SELECT
        patient_key, site, local_id, r.gender, r.birthDate AS birth_date,
        list_sort(list_transform(list_filter(r.name, lambda n: n.family IS NOT NULL OR n.text IS NOT NULL),
            lambda n, i: {'rank': coalesce(list_position(['official', 'usual'], n.use), CASE WHEN n.use IN ('old', 'maiden') THEN 9 ELSE 3 END),
                          'at': i, 'name': n}))[1].name AS name,
        list_sort(list_transform(list_filter(r.address, lambda a: a IS NOT NULL),
            lambda a, i: {'rank': CASE a.use WHEN 'home' THEN 1 WHEN 'old' THEN 9 ELSE 3 END, 'at': i, 'address': a}))[1].address AS address,
        list_sort(list_transform(list_filter(r.telecom, lambda t: t.system IN ('phone', 'sms') AND t.value IS NOT NULL),
            lambda t, i: {'rank': CASE t.use WHEN 'mobile' THEN 1 WHEN 'home' THEN 2 WHEN 'old' THEN 9 ELSE 3 END,
                          'at': i, 'value': t.value}))[1].value AS phone,
        list_filter(r.telecom, lambda t: t.system = 'email' AND contains(t.value, '@'))[1].value AS email,
        list_filter(list_transform(r.identifier, lambda d: CASE
            WHEN len(list_filter(d.type.coding, lambda c: regexp_full_match(c.code, 'NI|SS|SB|NN[A-Z]{3}'))) > 0
                OR regexp_matches(lower(d.system), '$systems') THEN identifier_value(d.value)
            WHEN d.type.coding IS NULL AND resident_id(letters(d.value)) THEN letters(d.value)
        END), lambda v: v IS NOT NULL)[1] AS national_id
    FROM parsed
), named AS (
    SELECT
        *,
        letters(coalesce(name.family, CASE
            WHEN name.given[1] IS NOT NULL THEN NULL
            WHEN contains(name.text, ',') THEN split_part(name.text, ',', 1)
            WHEN regexp_matches(name.text, '\p{Han}') THEN $family_of_han
            ELSE list_last(string_split(trim(name.text), ' ')) END)) AS family_name,
        letters(coalesce(name.given[1], CASE
            WHEN name.family IS NOT NULL AND regexp_matches(name.text, '^\p{Han}+$$') AND starts_with(name.text, name.family)
                THEN substr(name.text, length(name.family) + 1)
            WHEN name.family IS NOT NULL THEN NULL
            WHEN contains(name.text, ',') THEN split_part(trim(split_part(name.text, ',', 2)), ' ', 1)
            WHEN regexp_matches(name.text, '\p{Han}') THEN substr(letters(name.text), length($family_of_han) + 1)
            WHEN contains(trim(name.text), ' ') THEN split_part(trim(name.text), ' ', 1) END)) AS given_name
    FROM chosen
)
SELECT
    patient_key, site, local_id, given_name, family_name,
    CASE WHEN regexp_full_match(birth_date, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN birth_date END AS birth_date,
    CASE WHEN gender IN ('male', 'female', 'other') THEN gender END AS gender,
    CASE WHEN regexp_full_match(national_id, '[1-9][0-9]{14}') THEN long_resident_id(national_id) ELSE national_id END AS national_id,
    phone_number(phone) AS phone,
    nullif(regexp_replace(folded(email), '\s+', '', 'g'), '') AS email,
    words(coalesce(nullif(array_to_string(address.line, ' '), ''), address.text)) AS address,
    letters(address.postalCode) AS postal_code,
    letters(address.city) AS city
FROM named
