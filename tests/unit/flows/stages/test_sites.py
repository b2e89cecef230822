from __future__ import annotations

import pytest

from tests.opened import opened
from xinglin.core.errors import NotFound, UsageError
from xinglin.flows.stages.sites import ensure_site, reading_of, set_site


def test_a_site_heard_of_for_the_first_time_is_registered_and_keeps_its_kind(tmp_path):
    landing = opened(tmp_path / "home", create=True).landing
    first = ensure_site(landing, "mercy", "clinic")
    assert ensure_site(landing, "mercy", "hospital") == first
    assert [site.kind for site in landing.sites()] == ["clinic"]


@pytest.mark.parametrize("name", ["../mercy", "", "a/b", "a b", ".hidden"])
def test_a_name_that_would_leave_the_folder_is_refused(tmp_path, name):
    landing = opened(tmp_path / "home", create=True).landing
    with pytest.raises(UsageError):
        ensure_site(landing, name, "clinic")


def test_what_is_registered_of_a_site_decides_how_it_is_read_unless_said_otherwise(tmp_path):
    landing = opened(tmp_path / "home", create=True).landing
    landing.add_site("mercy", "hospital")
    mapping = tmp_path / "own.yaml"
    mapping.write_text("settings: {zone: '+08:00'}\n")
    set_site(landing, "mercy", inbox=str(tmp_path), form="hl7v2", mapping=mapping)
    mapping.unlink()
    assert (reading_of(landing, "mercy").format, reading_of(landing, "mercy", "fhir").format) == ("hl7v2", "fhir")
    assert reading_of(landing, "mercy").mapping == "settings: {zone: '+08:00'}\n"
    assert landing.site("mercy").inbox == str(tmp_path)
    set_site(landing, "mercy", form="auto")
    assert (landing.site("mercy").format, landing.site("mercy").inbox) == ("auto", str(tmp_path))


def test_a_password_never_stands_in_the_registry(tmp_path):
    landing = opened(tmp_path / "home", create=True).landing
    landing.add_site("mercy", "hospital")
    with pytest.raises(UsageError, match="password"):
        set_site(landing, "mercy", inbox="postgresql://his:secret@db/his")
    assert "secret" not in (landing.folder("mercy") / "site.json").read_text()
    set_site(landing, "mercy", inbox="postgresql://his:${HIS_PASSWORD}@db/his")
    assert landing.site("mercy").inbox == "postgresql://his:${HIS_PASSWORD}@db/his"


def test_a_format_or_a_mapping_that_is_not_there_is_refused(tmp_path):
    landing = opened(tmp_path / "home", create=True).landing
    landing.add_site("mercy", "hospital")
    with pytest.raises(UsageError, match="format"):
        set_site(landing, "mercy", form="fax")
    with pytest.raises(NotFound):
        set_site(landing, "mercy", mapping=tmp_path / "none.yaml")
