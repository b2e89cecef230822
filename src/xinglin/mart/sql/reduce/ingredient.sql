-- grain: one row per drug and ingredient it contains
SELECT a.descendant_concept_id AS drug_concept_id, a.ancestor_concept_id AS ingredient_concept_id
FROM concept_ancestor a
JOIN concept c ON c.concept_id = a.ancestor_concept_id
WHERE c.concept_class_id = 'Ingredient' AND c.standard_concept = 'S' AND c.domain_id = 'Drug'
ORDER BY ALL
