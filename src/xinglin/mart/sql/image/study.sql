-- grain: one row per study of a person at a site, with its procedure: that of the whole study, else one made here
WITH modality AS (
    -- Objects that are about images say nothing of the procedure as long as there are images.
    SELECT site, person_id, study_uid, arg_min(modality, (about, -instances, modality)) AS modality
    FROM (
        SELECT *, modality IN ('SR', 'KO', 'PR', 'SEG', 'REG', 'RTSTRUCT', 'RTPLAN', 'RTDOSE', 'DOC', 'OT') AS about
        FROM image_series WHERE modality IS NOT NULL
    )
    GROUP BY site, person_id, study_uid
)
SELECT s.site AS site, s.person_id AS person_id, s.study_uid AS study_uid, bool_and(p.is_fragment) AS is_made,
    CASE WHEN bool_and(p.is_fragment)
        THEN text_key(concat_ws('/', s.site, 'image_study', s.person_id, s.study_uid))
        ELSE min(p.procedure_occurrence_id) END AS procedure_occurrence_id,
    min(p.visit_occurrence_id) AS visit_occurrence_id, min(p.study_date) AS study_date,
    min(p.study_datetime) FILTER (p.study_datetime::DATE = p.study_date) AS study_datetime, min(m.modality) AS modality
FROM part_image p
JOIN image_series s ON s.site = p.site AND s.person_id = p.person_id AND s.series_uid = p.series_uid
LEFT JOIN modality m ON m.site = s.site AND m.person_id = s.person_id AND m.study_uid = s.study_uid
GROUP BY s.site, s.person_id, s.study_uid
