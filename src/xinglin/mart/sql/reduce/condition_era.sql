-- grain: one row per span in which a person has a condition, gaps of at most 30 days bridged
-- Conditions that begin and end together are one spell, so that the order of spells is total.
WITH spell AS (
    SELECT
        person_id,
        condition_concept_id AS concept_id,
        condition_start_date AS first_day,
        greatest(condition_start_date, coalesce(condition_end_date, condition_start_date)) AS last_day,
        count(*) AS occurrences
    FROM condition_occurrence
    WHERE condition_concept_id <> 0
    GROUP BY ALL
),
marked AS (
    SELECT
        *,
        CASE WHEN first_day <= max(last_day) OVER earlier + getvariable('gap_days')::INTEGER THEN 0 ELSE 1 END
            AS begins
    FROM spell
    WINDOW earlier AS (
        PARTITION BY person_id, concept_id ORDER BY first_day, last_day
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
),
numbered AS (
    SELECT
        *,
        sum(begins) OVER (
            PARTITION BY person_id, concept_id ORDER BY first_day, last_day
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS era
    FROM marked
)
SELECT
    text_key(concat_ws('/', 'condition_era', person_id, concept_id, min(first_day))) AS condition_era_id,
    person_id,
    concept_id AS condition_concept_id,
    min(first_day) AS condition_era_start_date,
    max(last_day) AS condition_era_end_date,
    sum(occurrences)::INTEGER AS condition_occurrence_count
FROM numbered
GROUP BY person_id, concept_id, era
ORDER BY person_id, concept_id, condition_era_start_date
