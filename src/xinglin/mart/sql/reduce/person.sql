-- grain: one row per person
WITH recent AS (
    SELECT *, row_number() OVER (PARTITION BY person_id
        ORDER BY last_updated DESC NULLS LAST, batch DESC, site, patient_key) AS recency
    FROM part_person
),
gender AS (
    SELECT person_id, arg_min(gender, (-votes, recency)) AS gender FROM (
        SELECT person_id, gender, count(*) AS votes, min(recency) AS recency
        FROM recent WHERE gender IS NOT NULL GROUP BY person_id, gender
    ) GROUP BY person_id
),
-- the fullest date wins among equally frequent ones
birth AS (
    SELECT person_id, arg_min(birth_date, (-votes, -length(birth_date), recency)) AS birth_date FROM (
        SELECT person_id, birth_date, count(*) AS votes, min(recency) AS recency
        FROM recent WHERE birth_date IS NOT NULL GROUP BY person_id, birth_date
    ) GROUP BY person_id
),
-- the age at an image stands in where nobody tells a date of birth
aged AS (
    SELECT person_id, arg_min(birth_year, (-votes, birth_year)) AS birth_year FROM (
        SELECT person_id, birth_year, count(*) AS votes FROM part_image
        WHERE birth_year IS NOT NULL GROUP BY person_id, birth_year
    ) GROUP BY person_id
),
latest AS (
    SELECT person_id, arg_min(race, recency) AS race, arg_min(ethnicity, recency) AS ethnicity,
        arg_min(location_id, recency) AS location_id, arg_min(provider_id, recency) AS provider_id,
        arg_min(care_site_id, recency) AS care_site_id, arg_min(birth_datetime, recency) AS birth_datetime
    FROM recent GROUP BY person_id
)
SELECT l.person_id, coalesce(k.concept_id, 0) AS gender_concept_id,
    coalesce(b.birth_date[1:4]::INTEGER, a.birth_year) AS year_of_birth,
    CASE WHEN length(b.birth_date) >= 7 THEN b.birth_date[6:7]::INTEGER END AS month_of_birth,
    CASE WHEN length(b.birth_date) >= 10 THEN b.birth_date[9:10]::INTEGER END AS day_of_birth,
    CASE WHEN l.birth_datetime::DATE = fhir_day(b.birth_date) THEN l.birth_datetime END AS birth_datetime,
    0 AS race_concept_id, 0 AS ethnicity_concept_id, l.location_id, t.key AS provider_id, s.key AS care_site_id,
    lower(printf('%016x', l.person_id)) AS person_source_value, g.gender AS gender_source_value,
    0 AS gender_source_concept_id, l.race AS race_source_value, 0 AS race_source_concept_id,
    l.ethnicity AS ethnicity_source_value, 0 AS ethnicity_source_concept_id
FROM latest l
LEFT JOIN birth b USING (person_id)
LEFT JOIN aged a USING (person_id)
LEFT JOIN gender g USING (person_id)
LEFT JOIN gender_concept k ON k.code = g.gender
LEFT JOIN target t ON t.kind = 'provider' AND t.key = l.provider_id
LEFT JOIN target s ON s.kind = 'care_site' AND s.key = l.care_site_id
ORDER BY l.person_id
