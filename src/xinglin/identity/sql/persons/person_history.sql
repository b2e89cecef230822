-- grain: one row per person id that ended, with those of earlier runs
SELECT run, former_person_id, person_id, reason FROM old_history
UNION ALL
SELECT
    $run::BIGINT AS run, old.person_id AS former_person_id, now.person_id,
    CASE WHEN now.method = 'decision' THEN 'decision' ELSE 'model' END AS reason
FROM (SELECT DISTINCT person_id FROM old_link) AS old
JOIN linked AS now ON now.patient_key = old.person_id AND now.person_id != old.person_id
ORDER BY run, former_person_id
