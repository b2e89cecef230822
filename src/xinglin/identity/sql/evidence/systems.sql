-- grain: one row per identifier system: where it is used, and whether its values agree together with names across institutions
WITH numbered AS (
    SELECT patient_key, site, system, value, given_name, family_name, birth_date, declared
    FROM (
        SELECT patient_key, site, known_given(given_name, family_name) AS given_name,
            known_family(given_name, family_name) AS family_name, known_date(birth_date) AS birth_date,
            regexp_extract(line, '^(.*)[|]([^|]*)$$', 1) AS system, regexp_extract(line, '^(.*)[|]([^|]*)$$', 2) AS value,
            coalesce(value IN (national_id, national_15), false) AS declared
        FROM (
            SELECT *, unnest(string_split(identifiers, chr(10))) AS line,
                left(national_id, 6) || substr(national_id, 9, 9) AS national_15
            FROM patient ANTI JOIN declared USING (patient_key)
        )
    )
), once AS (
    SELECT system, value, site, min(patient_key) AS patient_key FROM numbered WHERE value != '' AND NOT declared GROUP BY ALL
), spread AS (
    SELECT system, value, arg_min(patient_key, site) AS patient_key_l, arg_max(patient_key, site) AS patient_key_r
    FROM once GROUP BY ALL HAVING count(*) > 1
), compared AS (
    SELECT spread.system,
        CASE
            WHEN l.given IS NULL OR r.given IS NULL OR l.family IS NULL OR r.family IS NULL OR l.script != r.script THEN NULL
            ELSE (
                (jaro_winkler_similarity(l.given, r.given) >= 0.8)::INTEGER
                + (jaro_winkler_similarity(l.family, r.family) >= 0.8)::INTEGER
                + 2 * (l.given = r.family AND l.family = r.given)::INTEGER
                + coalesce(l.born = r.born, false)::INTEGER
            ) >= 2
        END AS agrees
    FROM spread
    JOIN (SELECT patient_key, given_name AS given, family_name AS family, birth_date AS born,
            regexp_matches(concat(given_name, family_name), '\p{Han}') AS script FROM patient) AS l
        ON l.patient_key = spread.patient_key_l
    JOIN (SELECT patient_key, given_name AS given, family_name AS family, birth_date AS born,
            regexp_matches(concat(given_name, family_name), '\p{Han}') AS script FROM patient) AS r
        ON r.patient_key = spread.patient_key_r
), figures AS (
    SELECT system, count(DISTINCT site) AS sites, count(DISTINCT patient_key) AS records, count(DISTINCT value) AS "values",
        count(*) FILTER (declared) > count(*) / 2 AS declared
    FROM numbered GROUP BY system
), shared_of AS (
    SELECT system, count(*) AS shared FROM spread GROUP BY system
), compared_of AS (
    SELECT system, count(agrees) AS compared, count(*) FILTER (agrees) AS agreeing FROM compared GROUP BY system
), counted AS (
    SELECT figures.*, coalesce(shared, 0) AS shared, coalesce(compared, 0) AS compared, coalesce(agreeing, 0) AS agreeing
    FROM figures LEFT JOIN shared_of USING (system) LEFT JOIN compared_of USING (system)
)
SELECT system, sites, records, "values", shared, compared, agreeing,
    CASE
        WHEN declared THEN 'declared'
        WHEN sites < 2 THEN 'one-site'
        WHEN shared = 0 THEN 'local'
        WHEN agreeing >= $least AND agreeing >= $share * compared THEN 'person-wide'
        WHEN compared >= $least AND agreeing < 0.5 * compared THEN 'local'
        ELSE 'unsure'
    END AS verdict
FROM counted
ORDER BY system
