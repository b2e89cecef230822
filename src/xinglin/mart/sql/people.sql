-- grain: one row per Patient of a person whose year of birth some current Patient, or the age at some image, tells
-- A Patient that may not be processed (modifier extension, implicit rules) is nobody's.
WITH written AS MATERIALIZED (
    SELECT
        key,
        resource ->> '$.birthDate' AS birth_date,
        contains(resource, '"modifierExtension"')
            OR (contains(resource, '"implicitRules"') AND json_exists(resource, '$.implicitRules')) AS is_barred
    FROM current_resource
),
patient AS (
    SELECT
        key,
        known_birth(birth_date) IS NOT NULL AS is_dated,
        is_barred
    FROM written
),
linked AS (
    SELECT patient_key, person_id
    FROM person_map
    ANTI JOIN (SELECT key AS patient_key FROM patient WHERE is_barred) USING (patient_key)
),
born AS (
    SELECT DISTINCT l.person_id
    FROM patient p
    JOIN linked l ON l.patient_key = p.key
    WHERE p.is_dated
),
study AS (
    SELECT
        p.person_id,
        from_json(s.resource, '{"started":"VARCHAR","meta":{"tag":[{"system":"VARCHAR","code":"VARCHAR"}]},
            "extension":[{"url":"VARCHAR","valueAge":{"value":"VARCHAR","code":"VARCHAR"}}],
            "series":[{"started":"VARCHAR"}]}') AS r
    FROM current_study s
    JOIN (SELECT patient_key, person_id FROM linked ANTI JOIN born USING (person_id)) p USING (patient_key)
    WHERE contains(s.resource, '"urn:xinglin:patient-age"')
),
aged AS (
    SELECT DISTINCT person_id
    FROM study
    WHERE is_fragment(r.meta.tag)
        AND year_of_birth_at(
            fhir_day(coalesce(known(r.started), known(r.series[1].started))),
            extension_of(r.extension, 'urn:xinglin:patient-age').valueAge
        ) IS NOT NULL
)
SELECT
    patient_key,
    person_id
FROM linked
SEMI JOIN (FROM born UNION FROM aged) USING (person_id)
ORDER BY patient_key
