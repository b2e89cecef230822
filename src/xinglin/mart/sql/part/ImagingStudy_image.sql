-- grain: one row per instance, or series without instances, of an accepted ImagingStudy
WITH study AS (
    SELECT p.*, f.batch, f.file, t.start_date, t.start_datetime, t.visit_occurrence_id, t.bucket,
        CASE WHEN t.target = 'procedure_occurrence' THEN p.resource_key END AS procedure_occurrence_id,
        is_fragment(p.r.meta.tag) AS is_fragment,
        plain_uid(list_filter(p.r.identifier, lambda i: i.system = 'urn:dicom:uid')[1].value) AS named
    FROM parsed p JOIN routed t USING (resource_key) JOIN landed_file f ON f.source = p.source
    WHERE t.target IS NOT NULL
),
series AS (SELECT *, unnest(r.series) AS s FROM study),
image AS (
    SELECT *, unnest(CASE WHEN len(s.instance) > 0 THEN s.instance ELSE [NULL] END) AS i,
        from_json(s.modality, '{"system":"VARCHAR","code":"VARCHAR"}') AS m
    FROM series
),
-- Modalities are looked up here, not among the codes of events: as an event, a study belongs to the procedures.
modality AS (
    SELECT concept_code AS code, min(concept_id) AS concept_id FROM concept_lookup
    WHERE vocabulary_id = 'DICOM' AND concept_id <> 0 GROUP BY ALL
),
body_site AS (
    SELECT y.system, l.concept_code AS code, min(l.concept_id) AS concept_id
    FROM concept_lookup l JOIN code_system y USING (vocabulary_id)
    WHERE l.concept_id <> 0 AND l.concept_code IN (SELECT s.bodySite.code FROM series) GROUP BY ALL
)
SELECT person_id, source, site, batch, file, row,
    resource_key, is_fragment, coalesce(named, resource_id) AS study_uid, named IS NULL AS is_unnamed,
    start_date AS study_date, start_datetime AS study_datetime, procedure_occurrence_id, visit_occurrence_id,
    CASE WHEN is_fragment
        THEN year_of_birth_at(start_date, extension_of(r.extension, 'urn:xinglin:patient-age').valueAge) END::INTEGER
        AS birth_year,
    plain_uid(s.uid) AS series_uid, fhir_day(known(s.started)) AS series_date, m.code AS modality,
    coalesce(modality.concept_id, 0) AS modality_concept_id,
    coalesce(s.bodySite.code, s.bodySite.display) AS anatomic_site,
    coalesce(body_site.concept_id, 0) AS anatomic_site_concept_id,
    plain_uid(i.uid) AS sop_uid, plain_uid(i.sopClass.code) AS sop_class_uid, fhir_whole(i.number) AS instance_number,
    extension_of(r.extension, 'urn:xinglin:object-sha256').valueString AS object_sha256, bucket
FROM image
LEFT JOIN modality ON modality.code = m.code
LEFT JOIN body_site ON body_site.system = s.bodySite.system AND body_site.code = s.bodySite.code
ORDER BY bucket, person_id, study_uid, series_uid, sop_uid, resource_key, instance_number
