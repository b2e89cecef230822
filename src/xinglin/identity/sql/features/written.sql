-- grain: one row per current Patient resource, with the parts of its name told apart
-- In Chinese names the family name comes first; in Latin ones it comes last, or before a comma.
SELECT
    * EXCLUDE (name, address),
    generation(regexp_replace(lower(name.suffix[1]), '[^a-z0-9]', '', 'g')) AS suffix_alone,
    coalesce(name.family, CASE
        WHEN name.given[1] IS NOT NULL THEN NULL
        WHEN contains(name.text, ',') THEN split_part(name.text, ',', 1)
        WHEN regexp_matches(name.text, '\p{Han}') THEN regexp_extract(unspaced, '$family_of_han')
        ELSE list_last(string_split(trim(name.text), ' '))
    END) AS family_name,
    coalesce(name.given[1], CASE
        WHEN name.family IS NOT NULL
            THEN CASE WHEN regexp_matches(unspaced, '^\p{Han}+$$') AND starts_with(unspaced, name.family)
                THEN substr(unspaced, length(name.family) + 1) END
        WHEN contains(name.text, ',') THEN split_part(trim(split_part(name.text, ',', 2)), ' ', 1)
        WHEN regexp_matches(name.text, '\p{Han}') THEN regexp_replace(unspaced, '$family_of_han', '')
        WHEN contains(trim(name.text), ' ') THEN split_part(trim(name.text), ' ', 1)
    END) AS given_name,
    coalesce(nullif(array_to_string(address.line, ' '), ''), address.text) AS address_written,
    address.postalCode AS postal_code,
    address.city AS city
FROM (SELECT *, regexp_replace(name.text, '[\s　·]+', '', 'g') AS unspaced FROM chosen)
