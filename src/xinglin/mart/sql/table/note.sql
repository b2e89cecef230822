-- grain: one row per text of a report or document
SELECT row_id AS note_id, person_id, start_date AS note_date, start_datetime AS note_datetime,
    concept_ehr() AS note_type_concept_id, concept_id AS note_class_concept_id, note_title, note_text,
    concept_utf8() AS encoding_concept_id, 0 AS language_concept_id, provider_id, visit_occurrence_id, NULL AS visit_detail_id,
    source_value AS note_source_value, NULL AS note_event_id, 0 AS note_event_field_concept_id, bucket
FROM routed WHERE target = 'note'
ORDER BY bucket, person_id, row_id
