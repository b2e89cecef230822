-- grain: one row per PractitionerRole whose Practitioner is known
WITH role AS (
    SELECT resource_key, r,
        coalesce(reference_key(r.practitioner.reference, 'Practitioner'), conditional_key(
            'Practitioner?identifier=' || r.practitioner.identifier.system || '|' || r.practitioner.identifier.value,
            'Practitioner')) AS provider_id,
        coalesce(reference_key(r.organization.reference, 'Organization'), conditional_key(
            'Organization?identifier=' || r.organization.identifier.system || '|' || r.organization.identifier.value,
            'Organization')) AS care_site_id,
        from_json(coalesce(r.specialty[1], r.code[1]), '{"coding":[{"code":"VARCHAR"}],"text":"VARCHAR"}') AS specialty
    FROM parsed
)
SELECT provider_id, resource_key AS source_key, NULL::VARCHAR AS npi, NULL::INTEGER AS year_of_birth,
    NULL::VARCHAR AS gender, NULL::VARCHAR AS source_value, care_site_id,
    coalesce(specialty.coding[1].code, specialty.text) AS specialty
FROM role
WHERE provider_id IS NOT NULL
ORDER BY provider_id, source_key
