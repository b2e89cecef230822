-- grain: one row per series of images of a person at a site
SELECT image_occurrence_id, s.person_id, t.procedure_occurrence_id, t.visit_occurrence_id, anatomic_site_concept_id,
    NULL AS wadors_uri, NULL AS local_path, image_occurrence_date, s.study_uid AS image_study_uid,
    s.series_uid AS image_series_uid, modality_concept_id, s.modality AS modality_source_value,
    anatomic_site AS anatomic_site_source_value
FROM image_series s JOIN image_study t USING (site, person_id, study_uid)
ORDER BY person_id, image_occurrence_id
