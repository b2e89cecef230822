-- grain: one row per ExplanationOfBenefit
WITH linked AS (
    SELECT
        *,
        list_filter(
            list_transform(r.item, lambda i: i.encounter[1].reference),
            lambda t: t IS NOT NULL
        )[1] AS encounter,
        fhir_number(list_filter(r.total, lambda t: has_code(t.category, 'benefit'))[1].amount.value) AS benefit,
        fhir_number(r.payment.amount.value) AS payment
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
        WHEN coalesce(payment, benefit) IS NULL THEN 'no-amount'
    END AS why,
    reference_key(encounter, 'Encounter') AS visit_occurrence_id,
    unresolved(encounter, 'Encounter') AS unresolved,
    coalesce(payment, benefit) AS paid_by_payer,
    coalesce(r.payment.amount.currency, r.total[1].amount.currency) AS currency
FROM linked
