-- grain: one row per SOP instance of a person at a site; the object itself knows better than a resource about it
WITH instance AS (
    SELECT site, person_id, sop_uid, arg_min(series_uid, (object_sha256 IS NULL, series_uid)) AS series_uid,
        arg_min(sop_class_uid, (object_sha256 IS NULL, sop_class_uid)) AS sop_class_uid,
        arg_min(instance_number, (object_sha256 IS NULL, instance_number)) AS instance_number,
        min(object_sha256) AS object_sha256
    FROM part_image WHERE sop_uid IS NOT NULL
    GROUP BY site, person_id, sop_uid
)
SELECT text_key(concat_ws('/', site, 'image_instance', person_id, sop_uid)) AS image_instance_id, image_occurrence_id,
    person_id, site, study_uid AS image_study_uid, series_uid AS image_series_uid, sop_uid AS sop_instance_uid,
    sop_class_uid, instance_number, object_sha256
FROM instance JOIN image_series USING (site, person_id, series_uid)
ORDER BY person_id, image_occurrence_id, image_instance_id
