-- grain: one row per person with at least one event
SELECT text_key('observation_period/' || person_id) AS observation_period_id, person_id,
    coalesce(min(first_day) FILTER (NOT is_condition), min(first_day)) AS observation_period_start_date,
    coalesce(max(greatest(first_day, last_day)) FILTER (NOT is_condition), max(greatest(first_day, last_day)))
        AS observation_period_end_date,
    concept_ehr() AS period_type_concept_id
FROM event_day
GROUP BY person_id
ORDER BY person_id
