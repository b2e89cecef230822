-- grain: one row per series of a person at a site, whichever resources tell of it
SELECT text_key(concat_ws('/', site, 'image_occurrence', person_id, series_uid)) AS image_occurrence_id,
    site, person_id, series_uid, arg_min(study_uid, (is_unnamed, study_uid)) AS study_uid,
    coalesce(min(series_date), min(study_date)) AS image_occurrence_date, min(modality) AS modality,
    coalesce(arg_min(modality_concept_id, modality), 0) AS modality_concept_id, min(anatomic_site) AS anatomic_site,
    coalesce(arg_min(anatomic_site_concept_id, anatomic_site), 0) AS anatomic_site_concept_id,
    count(DISTINCT sop_uid) AS instances
FROM part_image
GROUP BY site, person_id, series_uid
