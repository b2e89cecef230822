-- grain: one row per CodeableConcept text of the file
WITH text AS (
    SELECT DISTINCT code
    FROM (SELECT unnest([code, value_code, route_code]) AS code FROM event)
    WHERE code IS NOT NULL
),
understood AS (
    SELECT
        code,
        from_json(code, '{"coding":[{"system":"VARCHAR","code":"VARCHAR","display":"VARCHAR"}],"text":"VARCHAR"}') AS c
    FROM text
),
coding AS (
    SELECT
        code,
        generate_subscripts(c.coding, 1) AS place,
        unnest(c.coding) AS coding
    FROM understood
),
found AS (
    SELECT
        g.code,
        g.place,
        g.coding.system AS system,
        g.coding.code AS source_code,
        g.coding.display AS display,
        s.vocabulary_id IS NOT NULL AS is_of_known_system,
        coalesce(l.source_concept_id, 0) AS source_concept_id,
        coalesce(l.concept_id, 0) AS concept_id,
        l.domain_id
    FROM coding g
    LEFT JOIN code_system s ON s.system = g.coding.system
    LEFT JOIN concept_lookup l ON l.vocabulary_id = s.vocabulary_id AND l.concept_code = g.coding.code
    WHERE g.coding.code IS NOT NULL
),
-- The first coding with a standard concept, else the first of a known system, else the first; of several standard
-- concepts the smallest.
best AS (
    SELECT * FROM found
    QUALIFY row_number() OVER (
        PARTITION BY code ORDER BY concept_id = 0, NOT is_of_known_system, place, concept_id
    ) = 1
)
SELECT
    u.code,
    coalesce(b.system, '') AS system,
    coalesce(b.source_code, u.c.text) AS source_value,
    coalesce(b.display, u.c.text) AS display,
    coalesce(b.source_concept_id, 0) AS source_concept_id,
    coalesce(b.concept_id, 0) AS concept_id,
    b.domain_id
FROM understood u
LEFT JOIN best b USING (code)
ORDER BY u.code
