-- grain: one row per record to be linked, with what blocking needs beside the features; values found frequent are taken out
WITH cleared AS (
    SELECT
        d.* EXCLUDE (given_name, family_name, birth_date, national_id, phone, email, address),
        CASE WHEN piled.value IS NULL THEN d.given_name END AS given_name,
        CASE WHEN piled.value IS NULL THEN d.family_name END AS family_name,
        CASE WHEN dates.value IS NULL THEN d.birth_date END AS birth_date,
        CASE WHEN ids.value IS NULL AND own_ids.value IS NULL THEN d.national_id END AS national_id,
        CASE WHEN phones.value IS NULL THEN d.phone END AS phone,
        CASE WHEN emails.value IS NULL THEN d.email END AS email,
        CASE WHEN addresses.value IS NULL THEN d.address END AS address
    FROM described AS d
    LEFT JOIN frequent AS piled ON piled.kind = 'name' AND piled.site = d.site
        AND piled.value = concat(d.given_name, '|', d.family_name, '|', d.birth_date)
    LEFT JOIN frequent AS dates ON dates.kind = 'birth_date' AND dates.site = d.site AND dates.value = d.birth_date
    LEFT JOIN frequent AS own_ids ON own_ids.kind = 'national_id' AND own_ids.site = d.site AND own_ids.value = d.national_id
    LEFT JOIN frequent AS ids ON ids.kind = 'national_id' AND ids.site IS NULL AND ids.value = d.national_id
    LEFT JOIN frequent AS phones ON phones.kind = 'phone' AND phones.value = d.phone
    LEFT JOIN frequent AS emails ON emails.kind = 'email' AND emails.value = d.email
    LEFT JOIN frequent AS addresses ON addresses.kind = 'address' AND addresses.value = d.address
), named AS (
    SELECT *, least(given_name, family_name) || ' ' || greatest(given_name, family_name) AS name_pair,
        CASE WHEN regexp_matches(concat(given_name, family_name), '\p{Han}') THEN 'han' ELSE 'other' END AS script
    FROM cleared
), common_name AS (
    SELECT name_pair FROM named GROUP BY name_pair HAVING count(*) > $rare
), seen AS (
    SELECT given_name, count(*) AS given_seen FROM named WHERE given_name IS NOT NULL GROUP BY given_name
)
SELECT
    patient_key, site, given_name, family_name, script, birth_date, gender, address, postal_code, city, national_id, phone,
    email, split_part(email, '@', 1) AS mailbox, id_proved AND national_id IS NOT NULL AS id_proved,
    $card_1 AS card_1, $card_2 AS card_2,
    left(birth_date, 4) AS birth_year,
    -- The longest word of an address is most often the street's.
    list_sort(list_transform(string_split(address, ' '), lambda w: {'size': -length(w), 'word': w}))[1].word AS home_word,
    named.name_pair,
    CASE WHEN common_name.name_pair IS NULL THEN named.name_pair END AS rare_name,
    numbers, name_suffix, birth_order, newborn, coalesce(given_seen, 0) AS given_seen
FROM named
LEFT JOIN common_name ON common_name.name_pair = named.name_pair
LEFT JOIN seen USING (given_name)
