-- grain: one row per Encounter that gave a row, with the visit and the part of it that it stands for
SELECT
    visit_occurrence_id AS key,
    person_id,
    visit_occurrence_id AS visit_id,
    NULL::BIGINT AS detail_id
FROM visit_occurrence
UNION ALL
SELECT
    part_id,
    person_id,
    visit_id,
    CASE WHEN part_id <> visit_id THEN part_id END
FROM visit_part
