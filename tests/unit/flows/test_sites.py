from __future__ import annotations

import pytest

from xinglin.core.errors import UsageError
from xinglin.flows.sites import ensure_site
from xinglin.wiring import open_region


def test_a_site_heard_of_for_the_first_time_is_registered_and_keeps_its_kind(tmp_path):
    landing = open_region(tmp_path / "home", create=True).landing
    first = ensure_site(landing, "mercy", "clinic")
    assert ensure_site(landing, "mercy", "hospital") == first
    assert [site.kind for site in landing.sites()] == ["clinic"]


@pytest.mark.parametrize("name", ["../mercy", "", "a/b", "a b", ".hidden"])
def test_a_name_that_would_leave_the_folder_is_refused(tmp_path, name):
    landing = open_region(tmp_path / "home", create=True).landing
    with pytest.raises(UsageError):
        ensure_site(landing, name, "clinic")
