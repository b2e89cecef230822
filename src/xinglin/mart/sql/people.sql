-- grain: one row per Patient of a person whose year of birth some current Patient, or the age at some image, tells
WITH born AS (
    SELECT DISTINCT p.person_id
    FROM current_resource c JOIN person_map p ON p.patient_key = c.key
    WHERE fhir_day(c.resource ->> '$.birthDate') IS NOT NULL
),
study AS (
    SELECT p.person_id, from_json(s.resource, '{"started":"VARCHAR","meta":{"tag":[{"system":"VARCHAR","code":"VARCHAR"}]},
        "extension":[{"url":"VARCHAR","valueAge":{"value":"VARCHAR","code":"VARCHAR"}}],
        "series":[{"started":"VARCHAR"}]}') AS r
    FROM current_study s
    JOIN (SELECT patient_key, person_id FROM person_map ANTI JOIN born USING (person_id)) p USING (patient_key)
    WHERE contains(s.resource, '"urn:xinglin:patient-age"')
),
aged AS (
    SELECT DISTINCT person_id FROM study
    WHERE is_fragment(r.meta.tag) AND year_of_birth_at(fhir_day(coalesce(r.started, r.series[1].started)),
        extension_of(r.extension, 'urn:xinglin:patient-age').valueAge) IS NOT NULL
)
SELECT patient_key, person_id FROM person_map SEMI JOIN (FROM born UNION FROM aged) USING (person_id)
ORDER BY patient_key
