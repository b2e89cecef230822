-- grain: one row per Encounter
SELECT resource_key AS row_id, resource_key, source, row, person_id, 'visit_occurrence' AS home, true AS fixed,
    CASE WHEN r.status IS NULL OR r.status NOT IN ('finished', 'in-progress', 'arrived', 'triaged')
        THEN status_reason(r.status, ['planned', 'onleave', 'cancelled', 'entered-in-error', 'unknown'])
    END AS why,
    fhir_day(r.period.start) AS start_date, fhir_moment(r.period.start) AS start_datetime,
    coalesce(fhir_day(r.period.end), fhir_day(r.period.start)) AS end_date,
    CASE WHEN r.period.end IS NULL THEN fhir_moment(r.period.start) ELSE fhir_moment(r.period.end) END
        AS end_datetime,
    reference_key(r.participant[1].individual.reference, 'Practitioner') AS provider_id,
    reference_key(r.serviceProvider.reference, 'Organization') AS care_site_id,
    unresolved(r.participant[1].individual.reference, 'Practitioner')
        + unresolved(r.serviceProvider.reference, 'Organization') AS unresolved,
    r.class.code AS visit_class,
    coalesce(r.hospitalization.admitSource.coding[1].code, r.hospitalization.admitSource.text) AS admitted_from,
    coalesce(r.hospitalization.dischargeDisposition.coding[1].code, r.hospitalization.dischargeDisposition.text)
        AS discharged_to
FROM parsed
