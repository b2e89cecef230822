"""The small vocabulary of SQL that every event query is written in, as DuckDB macros."""

from __future__ import annotations

from xinglin.core.ids import key_sql
from xinglin.mart.meaning import MEANING_MACROS

__all__ = ["CONCEPTS", "LOOK_UPS", "MACROS", "UNCONDITIONAL"]

CONCEPTS: dict[str, int] = {
    "ehr": 32817,
    "confirmed": 32893,
    "utf8": 32678,
    "yes": 4188539,
    "no": 4188540,
    "equal": 4172703,
    "allergy_to_drug": 439224,
}
"""Standard concepts that queries name: EHR record, confirmed diagnosis, UTF-8, Yes, No, =, Allergy to drug."""

MACROS: tuple[str, ...] = (
    f"CREATE MACRO text_key(t) AS {key_sql('t')}",
    # FHIR dates may stop at the year or the month; the first day of it stands for it.
    """CREATE MACRO fhir_day(t) AS CASE length(t)
        WHEN 4 THEN try_cast(t || '-01-01' AS DATE)
        WHEN 7 THEN try_cast(t || '-01' AS DATE)
        ELSE try_cast(t[1:10] AS DATE) END""",
    # The clock of the place it happened at, as written; the offset is dropped, so that day and moment agree.
    "CREATE MACRO fhir_moment(t) AS CASE WHEN length(t) >= 16 THEN try_cast(t[1:19] AS TIMESTAMP) END",
    # The moment on the one line of time, in UTC: for comparing, not for showing.
    "CREATE MACRO fhir_instant(t) AS make_timestamp(epoch_us(try_cast(t AS TIMESTAMPTZ)))",
    # Encoders break lines at 76 characters (FHIR R4 datatypes.html#base64Binary).
    r"CREATE MACRO base64_bytes(t) AS from_base64(regexp_replace(t, '\s', '', 'g'))",
    """CREATE MACRO fhir_number(t) AS CASE WHEN isfinite(try_cast(t AS DOUBLE))
        THEN try_cast(t AS DOUBLE) END""",
    """CREATE MACRO fhir_whole(t) AS CASE WHEN fhir_number(t) BETWEEN -2147483648 AND 2147483647
        THEN round(fhir_number(t))::INTEGER END""",
    # The calling query has the column `site`: a reference is to a resource of the site that made it.
    # Type/id, http://server/Type/id and .../_history/n all name the same resource of the site.
    """CREATE MACRO plain_key(reference, kind) AS CASE
        WHEN reference IS NULL THEN NULL
        WHEN starts_with(reference, kind || '/') AND NOT contains(reference[length(kind) + 2:], '/')
            THEN text_key(site || '/' || reference)
        WHEN regexp_matches(reference, '(^|/)' || kind || '/[A-Za-z0-9.-]+(/_history/.*)?$')
            THEN text_key(site || '/' || kind || '/'
                || regexp_extract(reference, kind || '/([A-Za-z0-9.-]+)(/_history/.*)?$', 1)) END""",
    """CREATE MACRO reference_key(reference, kind) AS CASE
        WHEN contains(reference, '?') THEN conditional_key(reference, kind) ELSE plain_key(reference, kind) END""",
    # 1 where a conditional reference could not be resolved; such references are counted.
    """CREATE MACRO unresolved(reference, kind) AS CASE
        WHEN starts_with(reference, kind || '?') AND conditional_key(reference, kind) IS NULL THEN 1 ELSE 0 END""",
    """CREATE MACRO has_code(concept, wanted) AS
        coalesce(list_contains(list_transform(concept.coding, lambda c: c.code), wanted), false)""",
    """CREATE MACRO status_reason(status, known) AS 'status-' || CASE
        WHEN status IS NULL THEN 'absent' WHEN list_contains(known, status) THEN status ELSE 'unknown' END""",
    # A person's place is never finer than city and the first three characters of the postal code.
    "CREATE MACRO place_zip(a) AS nullif(a.postalCode[1:3], '')",
    """CREATE MACRO place_key(a) AS CASE
        WHEN coalesce(a.city, a.state, place_zip(a), a.country) IS NOT NULL
        THEN text_key(concat_ws('|', 'location', coalesce(a.city, ''), coalesce(a.state, ''),
            coalesce(place_zip(a), ''), coalesce(a.country, ''))) END""",
    # FHIR writes UIDs as URNs in identifiers and as they are in series.
    "CREATE MACRO plain_uid(t) AS nullif(regexp_replace(trim(t), '^urn:oid:', ''), '')",
    """CREATE MACRO is_fragment(tags) AS coalesce(len(list_filter(tags,
        lambda one_tag: one_tag.system = 'urn:xinglin:tag' AND one_tag.code = 'fragment')) > 0, false)""",
    "CREATE MACRO extension_of(extensions, wanted) AS list_filter(extensions, lambda one: one.url = wanted)[1]",
    # An age at a day leaves two years open; the one in which most of that year's birthdays lie is not known either.
    """CREATE MACRO year_of_birth_at(day, age) AS CASE WHEN fhir_whole(age.value) BETWEEN 0 AND 9999
        AND year(day) - fhir_whole(age.value) * CASE age.code WHEN 'a' THEN 1 ELSE 0 END >= 1850 THEN CASE age.code
        WHEN 'a' THEN year(day) - fhir_whole(age.value)
        WHEN 'mo' THEN year(day - to_months(fhir_whole(age.value)))
        WHEN 'wk' THEN year(day - to_days(7 * fhir_whole(age.value)))
        WHEN 'd' THEN year(day - to_days(fhir_whole(age.value))) END END""",
    *MEANING_MACROS,
    # Contained resources first, then the site's own Device of that key.
    """CREATE MACRO device_behind(reference, contained) AS CASE
        WHEN starts_with(reference, '#')
            THEN list_filter(contained, lambda c: c.id = reference[2:])[1].type
        ELSE code_of(plain_key(reference, 'Device')) END""",
    # A medication without a code of its own is its active ingredients.
    """CREATE MACRO ingredient_codes(ingredients, contained) AS list_filter(list_transform(
        list_filter(ingredients, lambda i: i.isActive IS DISTINCT FROM 'false'),
        lambda i: coalesce(i.itemCodeableConcept,
            list_filter(contained, lambda c: '#' || c.id = i.itemReference.reference)[1].code)),
        lambda c: c IS NOT NULL)""",
    """CREATE MACRO codes_of_medication(medication, contained) AS CASE
        WHEN medication.code IS NOT NULL AND medication.code::VARCHAR <> '{}' THEN [medication.code]
        ELSE ingredient_codes(medication.ingredient, contained) END""",
    # One code a row; one NULL where there is none, so that the resource is counted.
    """CREATE MACRO drug_codes(concept, reference, contained) AS CASE WHEN concept IS NOT NULL THEN [concept]
        ELSE coalesce(nullif(CASE WHEN starts_with(reference, '#')
            THEN codes_of_medication(list_filter(contained, lambda c: c.id = reference[2:])[1], contained)
            ELSE from_json(code_of(plain_key(reference, 'Medication')), '["JSON"]') END, []), [NULL::JSON]) END""",
    """CREATE MACRO part_key(at_site, kind, resource_key, resource_id, part) AS CASE part WHEN 1 THEN resource_key
        ELSE text_key(at_site || '/' || kind || '/' || resource_id || '#' || part) END""",
    *(f"CREATE MACRO concept_{name}() AS {concept_id}" for name, concept_id in CONCEPTS.items()),
)

UNCONDITIONAL: tuple[str, ...] = (
    "CREATE MACRO named_key(at_site, wanted, of_kind) AS NULL::BIGINT",
    "CREATE MACRO conditional_key(wanted, of_kind) AS named_key(site, wanted, of_kind)",
    "CREATE MACRO code_of(wanted) AS NULL::VARCHAR",
)

LOOK_UPS: dict[str, str] = {
    "identifier": """CREATE TEMP MACRO named_key(at_site, wanted, of_kind) AS (SELECT i.key FROM identifier i
        WHERE i.of_site = at_site AND i.reference = url_decode(wanted) AND i.kind = of_kind)""",
    "coded": "CREATE TEMP MACRO code_of(wanted) AS (SELECT c.code FROM coded c WHERE c.key = wanted)",
}
"""The table that a site's own resources are looked up in, and the macro that does it; dear, so made where needed."""
