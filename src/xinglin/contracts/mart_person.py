"""Contracts of the mart's people and places: person, observation_period, death, location, care_site, provider."""

from __future__ import annotations

from xinglin.contracts.mart_columns import (
    PERSON,
    concept,
    day,
    identifier,
    link,
    moment,
    number,
    source_concept,
    text,
    whole,
)
from xinglin.contracts.model import Table

__all__ = ["TABLES"]

_PERSON = Table(
    name="person",
    stage="mart",
    zone="pseudonymous",
    grain="one row per person, however many institutions know the person",
    key=("person_id",),
    bucketed=True,
    columns=(
        identifier("person_id", "person: that of the record that founded the person"),
        concept("gender_concept_id", "8507 male, 8532 female, 0 unknown or other", required=True),
        whole("year_of_birth", "Year of birth", "year", required=True),
        whole("month_of_birth", "Month of birth, where known", "month"),
        whole("day_of_birth", "Day of birth within the month, where known", "day"),
        moment("birth_datetime", "Moment of birth, where known"),
        concept("race_concept_id", "Race; 0 unknown", required=True),
        concept("ethnicity_concept_id", "Ethnicity; 0 unknown", required=True),
        link("location_id", "location.location_id", "Where the person lives"),
        link("provider_id", "provider.provider_id", "The person's own general practitioner"),
        link("care_site_id", "care_site.care_site_id", "The person's own primary care site"),
        text("person_source_value", "Pseudonym of the founding record; never a name or an official number"),
        text("gender_source_value", "Gender as the site wrote it"),
        source_concept("gender_source_concept_id", "gender"),
        text("race_source_value", "Race as the site wrote it"),
        source_concept("race_source_concept_id", "race"),
        text("ethnicity_source_value", "Ethnicity as the site wrote it"),
        source_concept("ethnicity_source_concept_id", "ethnicity"),
    ),
)

_OBSERVATION_PERIOD = Table(
    name="observation_period",
    stage="mart",
    zone="pseudonymous",
    grain="one row per span of time in which a person's events are recorded",
    key=("observation_period_id",),
    bucketed=True,
    columns=(
        identifier("observation_period_id", "observation period"),
        PERSON,
        day("observation_period_start_date", "First day of the span", required=True),
        day("observation_period_end_date", "Last day of the span", required=True),
        concept("period_type_concept_id", "What kind of record the span was derived from", required=True),
    ),
)

_DEATH = Table(
    name="death",
    stage="mart",
    zone="pseudonymous",
    grain="one row per person known to have died",
    key=("person_id",),
    bucketed=True,
    columns=(
        PERSON,
        day("death_date", "Day of death", required=True),
        moment("death_datetime", "Moment of death, where known"),
        concept("death_type_concept_id", "What kind of record tells of the death"),
        concept("cause_concept_id", "Cause of death; 0 where the code is unknown"),
        text("cause_source_value", "Cause of death as the site wrote it"),
        source_concept("cause_source_concept_id", "cause of death"),
    ),
)

_LOCATION = Table(
    name="location",
    stage="mart",
    zone="pseudonymous",
    grain="one row per place; a person's place is never finer than what the pseudonymous zone allows",
    key=("location_id",),
    columns=(
        identifier("location_id", "place"),
        text("address_1", "First address line; institutions only"),
        text("address_2", "Second address line; institutions only"),
        text("city", "City"),
        text("state", "State or province"),
        text("zip", "Postal code"),
        text("county", "County or district"),
        text("location_source_value", "The place as the site wrote it; institutions only"),
        concept("country_concept_id", "Country; 0 where unknown"),
        text("country_source_value", "Country as the site wrote it"),
        number("latitude", "Latitude, WGS 84", "degree"),
        number("longitude", "Longitude, WGS 84", "degree"),
    ),
)

_CARE_SITE = Table(
    name="care_site",
    stage="mart",
    zone="pseudonymous",
    grain="one row per organization or ward that gives care",
    key=("care_site_id",),
    columns=(
        identifier("care_site_id", "care site"),
        text("care_site_name", "Its name"),
        concept("place_of_service_concept_id", "Kind of place; 0 where unknown"),
        link("location_id", "location.location_id", "Where it stands"),
        text("care_site_source_value", "Its identifier at the site"),
        text("place_of_service_source_value", "Kind of place as the site wrote it"),
    ),
)

_PROVIDER = Table(
    name="provider",
    stage="mart",
    zone="pseudonymous",
    grain="one row per professional of a site",
    key=("provider_id",),
    columns=(
        identifier("provider_id", "professional"),
        text("provider_name", "Name; left empty in this zone"),
        text("npi", "National provider identifier (United States)"),
        text("dea", "Drug Enforcement Administration number (United States); left empty"),
        concept("specialty_concept_id", "Specialty; 0 where unknown"),
        link("care_site_id", "care_site.care_site_id", "Where the professional mainly works"),
        whole("year_of_birth", "Year of birth", "year"),
        concept("gender_concept_id", "8507 male, 8532 female, 0 unknown"),
        text("provider_source_value", "Identifier at the site"),
        text("specialty_source_value", "Specialty as the site wrote it"),
        source_concept("specialty_source_concept_id", "specialty"),
        text("gender_source_value", "Gender as the site wrote it"),
        source_concept("gender_source_concept_id", "gender"),
    ),
)

TABLES = (_PERSON, _OBSERVATION_PERIOD, _DEATH, _LOCATION, _CARE_SITE, _PROVIDER)
