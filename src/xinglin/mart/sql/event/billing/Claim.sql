-- grain: one row per Claim
WITH linked AS (
    SELECT
        *,
        list_filter(
            list_transform(r.item, lambda i: i.encounter[1].reference),
            lambda t: t IS NOT NULL
        )[1] AS encounter
    FROM parsed
)
SELECT
    resource_key AS row_id,
    resource_key,
    source,
    row,
    person_id,
    'cost' AS home,
    true AS fixed,
    CASE
        WHEN r.status IS DISTINCT FROM 'active' THEN status_reason(r.status, ['cancelled', 'draft', 'entered-in-error'])
        WHEN r.use <> 'claim' THEN 'use-not-claim'
        WHEN encounter IS NULL THEN 'no-visit'
        WHEN fhir_number(r.total.value) IS NULL THEN 'no-amount'
    END AS why,
    reference_key(encounter, 'Encounter') AS visit_occurrence_id,
    unresolved(encounter, 'Encounter') AS unresolved,
    fhir_number(r.total.value) AS total_charge,
    r.total.currency AS currency
FROM linked
