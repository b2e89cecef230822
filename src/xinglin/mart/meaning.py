"""What a resource means before its elements are read: modifiers, negations, placeholder dates, codings, units.

FHIR R4 extensibility.html#modifierExtension, resource.html#implicitRules, datatypes.html (CodeableConcept, Quantity,
Period, Timing). Older releases say with elements of their own that something was not done.
"""

from __future__ import annotations

from collections.abc import Mapping

from xinglin.core.sql import quote

__all__ = [
    "BIRTH_PLACEHOLDERS",
    "GUARD_SCHEMA",
    "MEANING_MACROS",
    "NEGATIONS",
    "PLACEHOLDER_DAYS",
    "digits_sql",
    "guard_sql",
]

NEGATIONS: Mapping[str, str] = {
    "notDone": "false",  # STU3: Procedure, MedicationDispense, FamilyMemberHistory, Communication
    "notGiven": "false",  # STU3: MedicationAdministration, Immunization
    "taken": "y",  # STU3: MedicationStatement (y, n, unk, na)
    "notPerformed": "false",  # DSTU2: Procedure
    "wasNotGiven": "false",  # DSTU2: MedicationAdministration, Immunization
    "wasNotTaken": "false",  # DSTU2: MedicationStatement
}
"""Modifier elements of older releases, and the only value with which the thing was done."""

GUARD_SCHEMA: Mapping[str, str] = {
    "implicitRules": "VARCHAR",
    "status": "VARCHAR",
    **dict.fromkeys(NEGATIONS, "VARCHAR"),
}
"""What is read of every resource, whatever its type."""

_EARLIEST, _LATEST = "1901-01-02", "2099"
_EARLIEST_BIRTH = "1850-01-02"

PLACEHOLDER_DAYS: tuple[str, ...] = ("2038-01-19", "2049-12-31", "2050-12-31", "2078-12-31", "2079-06-06")
"""Last days of common systems, written for an open end; days before 1901-01-02 and from 2099 on are none either."""

BIRTH_PLACEHOLDERS: tuple[str, ...] = (
    "1858-11-17",
    "1899-12-30",
    "1899-12-31",
    "1900",
    "1900-01",
    "1900-01-01",
    "1901-01-01",
)
"""First days of common systems, written for an unknown birth date; dates before 1850-01-02 are none either."""


def _texts(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


MEANING_MACROS: tuple[str, ...] = (
    # ISO 8601 sorts as text. The first second of 1970 as a moment is a clock that was never set; the day may be real.
    f"""CREATE MACRO is_out_of_time(t) AS t < '{_EARLIEST}' OR t >= '{_LATEST}'
        OR t[1:10] IN ({_texts(PLACEHOLDER_DAYS)})
        OR (t[1:10] IN ('1969-12-31', '1970-01-01') AND length(t) > 10
            AND try_cast(t AS TIMESTAMPTZ) IS NOT DISTINCT FROM TIMESTAMPTZ '1970-01-01 00:00:00+00')""",
    "CREATE MACRO known(t) AS CASE WHEN NOT is_out_of_time(t) AND fhir_day(t) IS NOT NULL THEN t END",
    "CREATE MACRO is_placeholder(t) AS coalesce(is_out_of_time(t) AND fhir_day(t) IS NOT NULL, false)",
    f"""CREATE MACRO is_no_birth_date(t) AS
        t < '{_EARLIEST_BIRTH}' OR t >= '{_LATEST}' OR t[1:10] IN ({_texts(BIRTH_PLACEHOLDERS)})""",
    "CREATE MACRO known_birth(t) AS CASE WHEN NOT is_no_birth_date(t) AND fhir_day(t) IS NOT NULL THEN t END",
    "CREATE MACRO is_birth_placeholder(t) AS coalesce(is_no_birth_date(t) AND fhir_day(t) IS NOT NULL, false)",
    # A period that has only an end tells one day; a timing tells its first event.
    "CREATE MACRO known_in(period) AS coalesce(known(period.start), known(period.end))",
    """CREATE MACRO known_at(timing) AS coalesce(list_min(list_transform(timing.event, lambda e: known(e))),
        known_in(timing.repeat.boundsPeriod))""",
    "CREATE MACRO is_period_odd(period) AS is_placeholder(period.start) OR is_placeholder(period.end)",
    # More than three years of supply is no supply; it would stretch every period it stands in.
    "CREATE MACRO supplied_to(day, days) AS CASE WHEN days <= 1096 THEN day + (greatest(days, 1) - 1) END",
    # Codings are alternatives without order: of a status that of the required value set counts.
    """CREATE MACRO codings_of(concept) AS
        from_json(concept, '{"coding":[{"system":"VARCHAR","code":"VARCHAR"}]}').coding""",
    """CREATE MACRO codes_of(concept) AS CASE json_type(concept) WHEN 'VARCHAR' THEN [concept ->> '$']
        ELSE list_transform(codings_of(concept), lambda c: c.code) END""",
    """CREATE MACRO codes_in(concept, value_set) AS CASE json_type(concept) WHEN 'VARCHAR' THEN [concept ->> '$']
        ELSE list_distinct(list_transform(list_filter(codings_of(concept), lambda c: c.system IN
            ('http://terminology.hl7.org/CodeSystem/' || value_set, 'http://hl7.org/fhir/' || value_set)),
            lambda c: c.code)) END""",
    # Without a coding of the value set its words count, whatever system they are said to be of.
    """CREATE MACRO codes_beside(concept, words) AS list_distinct(list_transform(
        list_filter(codings_of(concept), lambda c: list_contains(words, c.code)), lambda c: c.code))""",
    # Two codes of one value set contradict each other, and then neither counts.
    """CREATE MACRO status_of(concept, value_set) AS CASE
        WHEN len(codes_in(concept, value_set)) > 0
            THEN CASE WHEN len(codes_in(concept, value_set)) = 1 THEN codes_in(concept, value_set)[1] END
        WHEN len(codes_beside(concept, ['unconfirmed', 'provisional', 'differential', 'confirmed', 'refuted'])) = 1
            THEN codes_beside(concept, ['unconfirmed', 'provisional', 'differential', 'confirmed', 'refuted'])[1]
        END""",
    # A code has the meaning that its system gives it; UCUM's own codes are units, another system's are not.
    """CREATE MACRO is_ucum(system) AS
        system IS NULL OR system IN ('http://unitsofmeasure.org', 'https://unitsofmeasure.org',
            'urn:oid:2.16.840.1.113883.6.8')""",
    """CREATE MACRO ucum_unit(quantity) AS
        CASE WHEN is_ucum(quantity.system) THEN coalesce(quantity.code, quantity.unit) END""",
    """CREATE MACRO is_act_code(system) AS system IS NULL OR system IN ('http://terminology.hl7.org/CodeSystem/v3-ActCode',
        'http://hl7.org/fhir/v3/ActCode', 'urn:oid:2.16.840.1.113883.5.4')""",
    """CREATE MACRO days_of(quantity) AS fhir_whole(CASE lower(ucum_unit(quantity))
        WHEN 'd' THEN quantity.value WHEN 'day' THEN quantity.value WHEN 'days' THEN quantity.value
        WHEN 'wk' THEN (fhir_number(quantity.value) * 7)::VARCHAR
        WHEN 'week' THEN (fhir_number(quantity.value) * 7)::VARCHAR
        WHEN 'weeks' THEN (fhir_number(quantity.value) * 7)::VARCHAR
        WHEN 'mo' THEN (fhir_number(quantity.value) * 30)::VARCHAR
        WHEN 'month' THEN (fhir_number(quantity.value) * 30)::VARCHAR
        WHEN 'months' THEN (fhir_number(quantity.value) * 30)::VARCHAR END)""",
    # Whom or what a resource is about beside its subject.
    """CREATE MACRO is_of_fetus(concept) AS coalesce(regexp_matches(lower(concept),
        '"(55460000|83418008)"|f(e|oe|ö|œ)t(us|al)|胎[儿兒]'), false)""",
    # What an observation says of a focus outside the subject's own record is not the subject's.
    """CREATE MACRO kind_in(reference, contained) AS CASE WHEN starts_with(reference.reference, '#')
        THEN list_filter(contained, lambda c: c.id = reference.reference[2:])[1].resourceType
        ELSE coalesce(reference.type, regexp_extract(reference.reference, '([A-Za-z]+)/[^/]+(/_history/.*)?$', 1))
        END""",
    """CREATE MACRO is_elsewhere(focus, subject, contained) AS len(list_filter(focus, lambda f:
        plain_key(f.reference, 'Patient') IS DISTINCT FROM plain_key(subject, 'Patient')
        OR plain_key(subject, 'Patient') IS NULL)) > len(list_filter(focus, lambda f:
        list_contains(['Condition', 'Procedure', 'Observation', 'DiagnosticReport', 'Encounter', 'ServiceRequest',
            'CarePlan', 'Immunization', 'MedicationRequest', 'MedicationStatement', 'MedicationAdministration',
            'MedicationDispense'], kind_in(f, contained))))""",
    """CREATE MACRO has_focus_extension(extensions) AS coalesce(len(list_filter(extensions, lambda e: e.url IN
        ('http://hl7.org/fhir/StructureDefinition/observation-focusCode',
        'http://hl7.org/fhir/StructureDefinition/observation-focal-subject'))) > 0, false)""",
    """CREATE MACRO drawn_from(specimen, contained) AS CASE WHEN starts_with(specimen, '#')
        THEN list_filter(contained, lambda c: c.id = specimen[2:])[1].subject.reference
        ELSE code_of(plain_key(specimen, 'Specimen')) END""",
    """CREATE MACRO is_drawn_elsewhere(drawn, subject) AS drawn IS NOT NULL
        AND plain_key(subject, 'Patient') IS NOT NULL
        AND plain_key(drawn, 'Patient') IS DISTINCT FROM plain_key(subject, 'Patient')""",
)
"""The words that event queries say it with, as DuckDB macros; made after fhir_day, fhir_number and fhir_whole."""


def guard_sql(resource: str, parsed: str, parts: str = "") -> str:
    """A SQL expression: the reason why a resource may not be processed, NULL where there is none.

    Args:
        resource: SQL of the resource's text.
        parsed: SQL of the resource parsed by a schema that holds `GUARD_SCHEMA`.
        parts: JSON path of elements that are judged by themselves.

    Example:
        >>> "modifier-extension" in guard_sql("t.resource", "t.r")
        True
    """
    nested = f"len(json_extract({resource}, '$..modifierExtension'))"
    apart = f" - len(json_extract({resource}, {quote(parts + '.modifierExtension')}))" if parts else ""
    negated = " OR ".join(f"{parsed}.{name} <> '{done}'" for name, done in NEGATIONS.items())
    return (
        f"CASE WHEN contains({resource}, '\"modifierExtension\"') AND {nested}{apart} > 0 THEN 'modifier-extension' "
        f"WHEN {parsed}.implicitRules IS NOT NULL THEN 'implicit-rules' "
        f"WHEN {parsed}.status = 'entered-in-error' THEN 'status-entered-in-error' "
        f"WHEN {negated} THEN 'not-done' END"
    )


def digits_sql(resource: str) -> str:
    """A SQL expression: a resource's text in which every number of a ``value`` that is not written shortest is text.

    The query engine reads JSON numbers as doubles, which forget trailing zeros, exponents and digits beyond the
    sixteenth (datatypes.html#decimal wants them kept). A name between quotes, a colon and a digit cannot stand inside a
    JSON string, since its own quotes are escaped there.

    Example:
        >>> "regexp_replace(l.resource" in digits_sql("l.resource")
        True
    """
    worth = r'"value"\s*:\s*-?[0-9]*(\.[0-9]*0|[0-9.]*[eE]|[0-9.]{16})'
    number = r'("value"\s*:\s*)(-?[0-9][0-9.eE+-]*)'
    return (
        f"CASE WHEN regexp_matches({resource}, '{worth}') "
        f"THEN regexp_replace({resource}, '{number}', '\\1\"\\2\"', 'g') ELSE {resource} END"
    )
