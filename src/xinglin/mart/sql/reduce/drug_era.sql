-- grain: one row per span in which a person takes an ingredient, gaps of at most 30 days bridged
-- Exposures that begin and end together are one spell, so that the order of spells is total.
WITH spell AS (
    SELECT
        person_id,
        coalesce(i.ingredient_concept_id, drug_concept_id) AS concept_id,
        drug_exposure_start_date AS first_day,
        greatest(drug_exposure_start_date, drug_exposure_end_date) AS last_day,
        count(*) AS exposures
    FROM drug_exposure
    LEFT JOIN ingredient i USING (drug_concept_id)
    WHERE drug_concept_id <> 0
    GROUP BY ALL
),
marked AS (
    SELECT
        *,
        max(last_day) OVER earlier AS covered_to,
        CASE WHEN first_day <= max(last_day) OVER earlier + getvariable('gap_days')::INTEGER THEN 0 ELSE 1 END AS begins
    FROM spell
    WINDOW earlier AS (
        PARTITION BY person_id, concept_id ORDER BY first_day, last_day
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
),
numbered AS (
    SELECT
        *,
        CASE WHEN begins = 0 THEN greatest(first_day - covered_to - 1, 0) ELSE 0 END AS uncovered,
        sum(begins) OVER (
            PARTITION BY person_id, concept_id ORDER BY first_day, last_day
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS era
    FROM marked
)
SELECT
    text_key(concat_ws('/', 'drug_era', person_id, concept_id, min(first_day))) AS drug_era_id,
    person_id,
    concept_id AS drug_concept_id,
    min(first_day) AS drug_era_start_date,
    max(last_day) AS drug_era_end_date,
    sum(exposures)::INTEGER AS drug_exposure_count,
    sum(uncovered)::INTEGER AS gap_days
FROM numbered
GROUP BY person_id, concept_id, era
ORDER BY person_id, concept_id, drug_era_start_date
