-- grain: one row per current Patient that identity knows
WITH born AS (
    SELECT *, list_filter(r._birthDate.extension, lambda e: ends_with(e.url, '/patient-birthTime'))[1].valueDateTime
            AS birth_time,
        list_filter(r.extension, lambda e: ends_with(e.url, '/us-core-race'))[1].extension AS race,
        list_filter(r.extension, lambda e: ends_with(e.url, '/us-core-ethnicity'))[1].extension AS ethnicity,
        r.address[1] AS a
    FROM parsed JOIN (SELECT source, batch FROM landed_file) USING (source)
    WHERE person_id IS NOT NULL
)
SELECT person_id, resource_key AS patient_key, site, batch,
    fhir_instant(r.meta.lastUpdated) AS last_updated, r.gender AS gender,
    known_birth(r.birthDate)[1:10] AS birth_date,
    fhir_moment(birth_time) AS birth_datetime,
    coalesce(list_filter(race, lambda e: e.url = 'text')[1].valueString,
        list_filter(race, lambda e: e.url = 'ombCategory')[1].valueCoding.display) AS race,
    coalesce(list_filter(ethnicity, lambda e: e.url = 'text')[1].valueString,
        list_filter(ethnicity, lambda e: e.url = 'ombCategory')[1].valueCoding.display) AS ethnicity,
    place_key(a) AS location_id,
    reference_key(r.generalPractitioner[1].reference, 'Practitioner') AS provider_id,
    reference_key(r.managingOrganization.reference, 'Organization') AS care_site_id,
    fhir_day(known(r.deceasedDateTime)) AS death_date, fhir_moment(known(r.deceasedDateTime)) AS death_datetime,
    (r.deceasedDateTime IS NOT NULL AND NOT is_placeholder(r.deceasedDateTime))
        OR r.deceasedBoolean IS NOT DISTINCT FROM 'true' AS deceased,
    (person_id % getvariable('buckets'))::INTEGER AS bucket
FROM born
ORDER BY bucket, person_id, patient_key
