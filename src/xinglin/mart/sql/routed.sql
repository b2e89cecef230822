-- grain: one row per event, with its concept, the table it goes to and the reason why it goes nowhere
WITH judged AS (
    SELECT
        e.* EXCLUDE (why, code),
        c.system,
        c.source_value,
        c.display,
        coalesce(c.concept_id, 0) AS concept_id,
        coalesce(c.source_concept_id, 0) AS source_concept_id,
        c.domain_id,
        CASE
            WHEN b.barred IS NOT NULL THEN b.barred
            WHEN e.why IS NOT NULL THEN e.why
            WHEN e.person_id IS NULL THEN 'no-person'
            WHEN e.start_date IS NULL AND e.home <> 'cost'
                THEN CASE WHEN e.odd_start THEN 'date-implausible' ELSE 'no-date' END
            WHEN c.source_value IS NULL AND e.home NOT IN ('visit_occurrence', 'part_visit', 'cost', 'note', 'image_instance')
                THEN 'no-code'
        END AS why
    FROM event e
    LEFT JOIN concept c ON c.code = e.code
    LEFT JOIN barred b ON b.source = e.source AND b.row = e.row
)
SELECT
    j.*,
    CASE
        WHEN j.why IS NOT NULL THEN NULL
        WHEN j.fixed OR j.domain_id IS NULL THEN j.home
        ELSE coalesce(d.table_name, 'observation')
    END AS target,
    (j.person_id % getvariable('buckets'))::INTEGER AS bucket
FROM judged j
LEFT JOIN domain_table d ON d.domain_id = j.domain_id
