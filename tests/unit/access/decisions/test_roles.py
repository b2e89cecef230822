from __future__ import annotations

from xinglin.access.credentials.actor import ROLES
from xinglin.access.decisions.roles import allowances
from xinglin.access.terms.purposes import MEANINGS, PARENTS, above, known, within


def test_every_line_of_the_table_is_of_known_words() -> None:
    for (role, _), lines in allowances().items():
        assert role in ROLES
        for line in lines:
            assert known(line.purpose)
            assert line.scope in {"own", "treated", "break-glass", "person", "region", "any", "site"}
            assert line.consent in {"ignored", "denials", "granted", "left-out"}


def test_only_operators_and_agents_of_sites_write() -> None:
    writers = {role for (role, _), lines in allowances().items() for line in lines if line.writes}
    assert writers == {"operator", "site-agent"}


def test_nobody_but_a_patient_or_clinician_reads_a_record_without_a_grant() -> None:
    for (role, action), lines in allowances().items():
        for line in lines if action == "read" else ():
            assert role in {"patient", "clinician"} or line.consent == "granted"


def test_the_purposes_form_a_tree_with_meanings() -> None:
    assert set(MEANINGS) == set(PARENTS)
    for purpose in PARENTS:
        assert purpose in above(purpose) and all(known(one) for one in above(purpose))
    assert within("CLINTRCH", "HRESCH") and not within("HRESCH", "CLINTRCH")


def test_an_ordinary_line_does_not_serve_breaking_the_glass() -> None:
    treated, glass, _ = allowances()["clinician", "read"]
    assert treated.serves("CAREMGT") and not treated.serves("BTG") and not treated.serves("ETREAT")
    assert glass.serves("BTG") and not glass.serves("TREAT")
