-- grain: one row per Practitioner
SELECT resource_key AS provider_id, resource_key AS source_key,
    list_filter(r.identifier, lambda i: i.system = 'http://hl7.org/fhir/sid/us-npi')[1].value AS npi,
    year(fhir_day(known_birth(r.birthDate)))::INTEGER AS year_of_birth, r.gender AS gender,
    site || '/' || resource_id AS source_value,
    NULL::BIGINT AS care_site_id, NULL::VARCHAR AS specialty
FROM parsed
ORDER BY provider_id
