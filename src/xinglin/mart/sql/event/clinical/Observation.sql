-- grain: one row per value of an Observation (its own or a component's), and one per value or Observation left out
WITH category AS (
    SELECT
        text,
        list_has_any(
            flatten(list_transform(
                from_json(text, '[{"coding":[{"code":"VARCHAR"}]}]'),
                lambda c: list_transform(c.coding, lambda x: x.code)
            )),
            ['laboratory', 'vital-signs']
        ) AS measured
    FROM (SELECT DISTINCT r.category AS text FROM parsed)
),
-- Looked up once: a macro copies its argument wherever it uses it.
sampled AS NOT MATERIALIZED (
    SELECT
        *,
        drawn_from(r.specimen.reference, r.contained) AS drawn
    FROM parsed
),
timed AS NOT MATERIALIZED (
    SELECT
        source,
        site,
        row,
        resource_key,
        resource_id,
        person_id,
        r,
        coalesce(
            known(r.effectiveDateTime),
            known_in(r.effectivePeriod),
            known_at(r.effectiveTiming),
            known(r.effectiveInstant),
            known(r.issued)
        ) AS start_text,
        is_placeholder(r.effectiveDateTime) OR is_placeholder(r.effectiveInstant) OR is_period_odd(r.effectivePeriod)
            OR is_placeholder(r.issued) AS odd_start,
        CASE
            WHEN is_elsewhere(r.focus, r.subject.reference, r.contained) OR has_focus_extension(r.extension)
                THEN 'about-another'
            WHEN is_drawn_elsewhere(drawn, r.subject.reference)
                THEN 'about-another'
            WHEN is_of_fetus(r.bodySite) THEN 'about-fetus'
        END AS whose
    FROM sampled
),
carrier AS (
    SELECT
        source,
        site,
        row,
        resource_key,
        resource_id,
        person_id,
        0 AS part,
        r.component IS NOT NULL AS has_parts,
        r.status,
        r.category,
        r.encounter.reference AS encounter,
        r.performer[1].reference AS performer,
        start_text,
        odd_start,
        whose,
        r.code AS code,
        r.dataAbsentReason AS absent,
        NULL::JSON AS modifier,
        r.valueQuantity AS quantity,
        r.valueCodeableConcept AS concept,
        coalesce(r.valueString, r.valueTime, r.valueDateTime) AS string,
        r.valueBoolean AS truth,
        r.valueInteger AS whole,
        r.valueRange AS span,
        r.valueRatio AS ratio,
        r.referenceRange[1] AS normal
    FROM timed
    UNION ALL
    SELECT
        source,
        site,
        row,
        resource_key,
        resource_id,
        person_id,
        part,
        true,
        status,
        category,
        encounter,
        performer,
        start_text,
        odd_start,
        whose,
        c.code,
        c.dataAbsentReason,
        c.modifierExtension,
        c.valueQuantity,
        c.valueCodeableConcept,
        coalesce(c.valueString, c.valueTime, c.valueDateTime),
        c.valueBoolean,
        c.valueInteger,
        c.valueRange,
        c.valueRatio,
        c.referenceRange[1]
    FROM (
        SELECT
            source,
            site,
            row,
            resource_key,
            resource_id,
            person_id,
            generate_subscripts(r.component, 1) AS part,
            r.status AS status,
            r.category AS category,
            r.encounter.reference AS encounter,
            r.performer[1].reference AS performer,
            start_text,
            odd_start,
            whose,
            unnest(r.component) AS c
        FROM timed
        WHERE r.component IS NOT NULL
    )
),
valued AS (
    SELECT
        *,
        fhir_number(coalesce(quantity.value, whole)) AS value_number,
        coalesce(quantity.value, whole) AS number_text,
        coalesce(
            string,
            CASE WHEN span IS NOT NULL THEN concat(span.low.value, '-', span.high.value) END,
            CASE WHEN ratio IS NOT NULL THEN concat(ratio.numerator.value, ':', ratio.denominator.value) END
        ) AS value_string
    FROM carrier
)
SELECT
    CASE part WHEN 0 THEN resource_key
        ELSE text_key(site || '/Observation/' || resource_id || '#' || part) END AS row_id,
    resource_key,
    source,
    row,
    person_id,
    part > 0 AS is_part,
    code,
    CASE WHEN k.measured OR value_number IS NOT NULL THEN 'measurement' ELSE 'observation' END AS home,
    CASE
        WHEN status IS NULL OR status NOT IN ('final', 'amended', 'corrected')
            THEN status_reason(status, ['registered', 'preliminary', 'cancelled', 'entered-in-error', 'unknown'])
        WHEN whose IS NOT NULL THEN whose
        WHEN modifier IS NOT NULL THEN 'modifier-extension'
        WHEN absent IS NOT NULL THEN 'data-absent'
        WHEN number_text IS NOT NULL AND value_number IS NULL THEN 'value-not-a-number'
        WHEN value_number IS NULL AND concept IS NULL AND value_string IS NULL AND truth IS NULL THEN
            CASE WHEN has_parts AND part = 0 THEN 'value-in-components' ELSE 'no-value' END
    END AS why,
    fhir_day(start_text) AS start_date,
    fhir_moment(start_text) AS start_datetime,
    odd_start AND part = 0 AS odd_start,
    reference_key(encounter, 'Encounter') AS visit_occurrence_id,
    reference_key(performer, 'Practitioner') AS provider_id,
    unresolved(encounter, 'Encounter') + unresolved(performer, 'Practitioner') AS unresolved,
    value_number,
    value_string,
    concept AS value_code,
    truth AS value_truth,
    coalesce(
        CASE WHEN number_text IS NOT NULL THEN concat(quantity.comparator, number_text) END, value_string, truth
    ) AS value_source_value,
    quantity.comparator AS comparator,
    coalesce(quantity.code, quantity.unit) AS unit,
    is_ucum(quantity.system) AS is_ucum,
    fhir_number(normal.low.value) AS range_low,
    fhir_number(normal.high.value) AS range_high
FROM valued
LEFT JOIN category k ON k.text = valued.category
