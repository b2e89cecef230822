-- grain: one row per person known to have died on a known day
SELECT person_id, arg_min(death_date, place) AS death_date, arg_min(death_datetime, place) AS death_datetime,
    concept_ehr() AS death_type_concept_id, 0 AS cause_concept_id, NULL AS cause_source_value, 0 AS cause_source_concept_id
FROM (
    SELECT *, row_number() OVER (PARTITION BY person_id
        ORDER BY last_updated DESC NULLS LAST, batch DESC, site, patient_key) AS place
    FROM part_person WHERE death_date IS NOT NULL
)
WHERE place = 1
GROUP BY person_id
ORDER BY person_id
