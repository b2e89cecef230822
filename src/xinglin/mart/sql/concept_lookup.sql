-- grain: one row per code of a vocabulary and standard concept it maps to
WITH mapped AS (
    SELECT r.concept_id_1 AS source_id, c.concept_id, c.domain_id
    FROM concept_relationship r JOIN concept c ON c.concept_id = r.concept_id_2
    WHERE r.relationship_id = 'Maps to' AND r.invalid_reason IS NULL AND c.standard_concept = 'S'
)
SELECT DISTINCT s.vocabulary_id, s.concept_code, s.concept_id AS source_concept_id,
    coalesce(m.concept_id, CASE WHEN s.standard_concept = 'S' THEN s.concept_id END, 0) AS concept_id,
    coalesce(m.domain_id, s.domain_id) AS domain_id
FROM concept s LEFT JOIN mapped m ON m.source_id = s.concept_id
