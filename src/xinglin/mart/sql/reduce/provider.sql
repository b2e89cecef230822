-- grain: one row per Practitioner, with what the first of its roles adds
SELECT provider_id, NULL AS provider_name, max(npi) AS npi, NULL AS dea, 0 AS specialty_concept_id,
    arg_min(t.key, source_key) AS care_site_id, max(year_of_birth) AS year_of_birth,
    coalesce(max(k.concept_id), 0) AS gender_concept_id, max(source_value) AS provider_source_value,
    arg_min(specialty, source_key) AS specialty_source_value, 0 AS specialty_source_concept_id,
    max(gender) AS gender_source_value, 0 AS gender_source_concept_id
FROM part_provider LEFT JOIN gender_concept k ON k.code = gender
LEFT JOIN target t ON t.kind = 'care_site' AND t.key = care_site_id
GROUP BY provider_id
ORDER BY provider_id
