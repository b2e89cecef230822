-- grain: one row per Encounter that is part of another, with the visit it belongs to
-- A part whose whole gave no row, or is another person's, stands for the visit itself; so does each of a circle.
WITH RECURSIVE climb AS (
    SELECT
        visit_occurrence_id AS part_id,
        person_id,
        visit_occurrence_id AS top,
        part_of AS above,
        0 AS steps
    FROM part_visit
    UNION ALL
    SELECT
        c.part_id,
        c.person_id,
        p.visit_occurrence_id,
        p.part_of,
        c.steps + 1
    FROM climb c
    JOIN part_visit p ON p.visit_occurrence_id = c.above AND p.person_id = c.person_id
    WHERE c.steps < 20
),
highest AS (
    SELECT
        part_id,
        person_id,
        arg_max(top, steps) AS top,
        arg_max(above, steps) AS above,
        max(steps) AS steps
    FROM climb
    GROUP BY part_id, person_id
)
SELECT
    h.part_id,
    h.person_id,
    CASE
        WHEN h.steps >= 20 THEN h.part_id
        WHEN v.visit_occurrence_id IS NOT NULL THEN v.visit_occurrence_id
        ELSE h.top
    END AS visit_id
FROM highest h
LEFT JOIN visit_occurrence v ON v.visit_occurrence_id = h.above AND v.person_id = h.person_id
