-- grain: one row per current Patient resource, with a suffix at the end of a name (Smith Jr) told apart from it
SELECT
    * EXCLUDE (suffix_alone) REPLACE (
        regexp_replace(given_name, '[\s,]+$suffix\s*$$', '', 'i') AS given_name,
        regexp_replace(family_name, '[\s,]+$suffix\s*$$', '', 'i') AS family_name
    ),
    coalesce(
        suffix_alone,
        generation(nullif(regexp_extract(lower(family_name), '[\s,]+$suffix\s*$$', 1), '')),
        generation(nullif(regexp_extract(lower(given_name), '[\s,]+$suffix\s*$$', 1), ''))
    ) AS name_suffix
FROM written
