-- grain: one row per current Patient resource, with the one name, address, phone and identifier to compare, as written
SELECT
    patient_key, site, local_id, r.gender, r.birthDate AS birth_date,
    list_sort(list_transform(
        list_filter(r.name, lambda n: n.family IS NOT NULL OR n.text IS NOT NULL OR n.given IS NOT NULL),
        lambda n, i: {
            'rank': CASE n.use WHEN 'official' THEN 1 WHEN 'usual' THEN 2 WHEN 'old' THEN 9 WHEN 'maiden' THEN 9 ELSE 3 END,
            'at': i,
            'chosen': n
        }
    ))[1].chosen AS name,
    list_sort(list_transform(
        list_filter(r.address, lambda a: a IS NOT NULL),
        lambda a, i: {'rank': CASE a.use WHEN 'home' THEN 1 WHEN 'old' THEN 9 ELSE 3 END, 'at': i, 'chosen': a}
    ))[1].chosen AS address,
    list_sort(list_transform(
        list_filter(r.telecom, lambda t: t.system IN ('phone', 'sms') AND t.value IS NOT NULL),
        lambda t, i: {
            'rank': CASE t.use WHEN 'mobile' THEN 1 WHEN 'home' THEN 2 WHEN 'old' THEN 9 ELSE 3 END,
            'at': i,
            'chosen': t.value
        }
    ))[1].chosen AS phone,
    list_filter(r.telecom, lambda t: t.system = 'email' AND contains(t.value, '@'))[1].value AS email,
    list_filter(
        r.identifier,
        lambda d: len(list_filter(d.type.coding, lambda c: regexp_full_match(c.code, 'NI|SS|SB|NN[A-Z]{3}'))) > 0
            OR regexp_matches(lower(d.system), '$systems')
    )[1].value AS declared_id,
    list_filter(
        r.identifier, lambda d: len(list_filter(d.type.coding, lambda c: c.code = 'PPN')) > 0
    )[1].value AS passport,
    list_filter(
        r.identifier, lambda d: d.type.coding IS NULL AND length(d.value) >= 18
    )[1].value AS undeclared_id,
    nullif(array_to_string(list_transform(
        list_filter(r.identifier, lambda d: d.value IS NOT NULL AND NOT no_number(d.value)
            AND len(list_filter(d.type.coding, lambda c: c.code IN ('MR', 'PI'))) > 0),
        lambda d: concat(d.system, '|', d.value)
    ), chr(10)), '') AS numbers,
    nullif(array_to_string(list_distinct(list_transform(
        list_filter(r.identifier, lambda d: d.value IS NOT NULL
            AND coalesce(d.system, d.type.coding[1].code) IS NOT NULL AND NOT no_number(d.value)),
        lambda d: concat(coalesce(d.system, 'type:' || d.type.coding[1].code), '|', plain_number(d.value))
    )), chr(10)), '') AS identifiers,
    list_transform(
        list_filter(r.link, lambda k: k.type = 'replaced-by' AND $local_reference IS NOT NULL),
        lambda k: $linked_key
    )[1] AS same_as,
    nullif(array_to_string(list_transform(
        list_filter(r.link, lambda k: k.type = 'replaces' AND $local_reference IS NOT NULL),
        lambda k: $linked_key
    ), chr(10)), '') AS replaces,
    try_cast(r.multipleBirthInteger AS INTEGER) AS birth_order
FROM (SELECT patient_key, site, local_id, from_json(resource, $shape) AS r FROM landed_patient)
