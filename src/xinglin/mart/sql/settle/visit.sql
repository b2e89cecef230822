-- grain: one row per visit, its references settled; a visit lasts as long as its parts
-- An emergency visit that an admission is part of is the concept "Emergency Room and Inpatient Visit" (262).
WITH parts AS (
    SELECT
        v.visit_id,
        v.person_id,
        min(p.visit_start_date) AS first_date,
        min(p.visit_start_datetime) AS first_datetime,
        max(p.visit_end_date) AS last_date,
        max(p.visit_end_datetime) AS last_datetime,
        bool_or(p.visit_concept_id IN (9201, 262)) AS is_inpatient
    FROM visit_part v
    JOIN part_visit p ON p.visit_occurrence_id = v.part_id AND p.person_id = v.person_id
    WHERE v.visit_id <> v.part_id
    GROUP BY v.visit_id, v.person_id
),
whole AS (
    SELECT
        e.*,
        least(e.visit_start_date, p.first_date) AS first_date,
        least(e.visit_start_datetime, p.first_datetime) AS first_datetime,
        greatest(e.visit_end_date, p.last_date) AS last_date,
        greatest(e.visit_end_datetime, p.last_datetime) AS last_datetime,
        CASE
            WHEN p.is_inpatient AND e.visit_concept_id = 9203 THEN 262
            WHEN p.is_inpatient AND e.visit_concept_id = 9202 THEN 9201
            ELSE e.visit_concept_id
        END AS concept_id
    FROM {rows} e
    LEFT JOIN parts p ON p.visit_id = e.visit_occurrence_id AND p.person_id = e.person_id
)
SELECT
    e.* EXCLUDE (first_date, first_datetime, last_date, last_datetime, concept_id) REPLACE (
        t.key AS provider_id,
        s.key AS care_site_id,
        e.first_date AS visit_start_date,
        e.first_datetime AS visit_start_datetime,
        e.last_date AS visit_end_date,
        e.last_datetime AS visit_end_datetime,
        e.concept_id AS visit_concept_id
    ),
    (e.provider_id IS NOT NULL AND t.key IS NULL)
        OR (e.care_site_id IS NOT NULL AND s.key IS NULL)
        OR e.first_date IS DISTINCT FROM e.visit_start_date
        OR e.first_datetime IS DISTINCT FROM e.visit_start_datetime
        OR e.last_date IS DISTINCT FROM e.visit_end_date
        OR e.last_datetime IS DISTINCT FROM e.visit_end_datetime
        OR e.concept_id <> e.visit_concept_id AS is_changed,
    (e.provider_id IS NOT NULL AND t.key IS NULL)::INTEGER
        + (e.care_site_id IS NOT NULL AND s.key IS NULL)::INTEGER AS lost,
    false AS is_dropped
FROM whole e
LEFT JOIN target t ON t.kind = 'provider' AND t.key = e.provider_id
LEFT JOIN target s ON s.kind = 'care_site' AND s.key = e.care_site_id
