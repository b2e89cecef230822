-- grain: one row per identifier of current Patients by which resources name their patient; several persons' names none
WITH named AS (
    SELECT
        key,
        site,
        unnest(from_json(resource, '{"identifier":[{"system":"VARCHAR","value":"VARCHAR"}]}').identifier) AS i
    FROM patient_of_site
),
written AS (
    SELECT key, site, concat(i.system, '|', i.value) AS name FROM named WHERE i.value IS NOT NULL
    UNION ALL
    SELECT key, site, i.value AS name FROM named WHERE i.value IS NOT NULL
),
keyed AS (
    SELECT text_key(concat(site, '/Patient/?identifier=', name)) AS patient_key, person_id
    FROM written
    JOIN linked_person ON linked_person.patient_key = written.key
)
SELECT
    patient_key,
    min(person_id) AS person_id
FROM keyed
SEMI JOIN named_patient USING (patient_key)
GROUP BY patient_key
HAVING count(DISTINCT person_id) = 1
