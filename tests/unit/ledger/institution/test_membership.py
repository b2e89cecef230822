"""Institutions propose and vote; whoever cannot, or need not, is told why before anything is signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledgers import CHAIN, START, TurnedClock, addition, genesis, seed
from xinglin.core.errors import Conflict, NotFound, UsageError
from xinglin.ledger import EmbeddedLedger, Signer
from xinglin.ledger.institution.membership import (
    Proposal,
    change,
    participants,
    proposals,
    propose,
    tolerated_failures,
    vote,
)

FOUNDERS = {"clinic": 1, "hospital": 1, "lab": 1, "region": 1}
MONTH = 30 * 86_400


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: TurnedClock) -> Iterator[EmbeddedLedger]:
    made = EmbeddedLedger.create(tmp_path / "ledger", genesis(**FOUNDERS), clock)
    yield made
    made.close()


@pytest.fixture
def desks(tmp_path: Path, clock: TurnedClock) -> dict[str, Signer]:
    return {
        name: Signer(name, seed(name), CHAIN, tmp_path / f"{name}.sqlite", clock) for name in (*FOUNDERS, "stranger")
    }


def _powers(ledger: EmbeddedLedger) -> dict[str, int]:
    return {one.name: one.power for one in participants(ledger) if one.active}


def test_the_last_vote_that_is_needed_lets_an_institution_in(ledger: EmbeddedLedger, desks: dict[str, Signer]) -> None:
    body = addition("east", 2, seed("east"), seed("east validator"))
    opened = propose(ledger, desks["clinic"], body)
    assert (opened.outcome, opened.agreed, opened.missing) == ("open", ("clinic",), 2)
    assert opened.until == START + MONTH
    second = vote(ledger, desks["lab"], opened.id[:8], True)
    assert (second.missing, second.silent, _powers(ledger)) == (1, ("hospital", "region"), FOUNDERS)
    third = vote(ledger, desks["region"], opened.id, True)
    assert (third.outcome, third.missing, _powers(ledger)) == ("accepted", 0, FOUNDERS | {"east": 2})


def test_a_vote_may_be_changed_but_not_repeated(ledger: EmbeddedLedger, desks: dict[str, Signer]) -> None:
    opened = propose(ledger, desks["clinic"], change("lab", 3))
    with pytest.raises(Conflict, match="already cast this vote"):
        vote(ledger, desks["clinic"], opened.id, True)
    changed = vote(ledger, desks["clinic"], opened.id, False)
    assert (changed.agreed, changed.against, changed.missing) == ((), ("clinic",), 3)
    assert vote(ledger, desks["lab"], opened.id, False).outcome == "rejected"
    with pytest.raises(Conflict, match="it is rejected"):
        vote(ledger, desks["region"], opened.id, True)


def test_a_proposal_whose_time_is_over_is_told_and_may_be_made_again(
    ledger: EmbeddedLedger, desks: dict[str, Signer], clock: TurnedClock
) -> None:
    first = propose(ledger, desks["clinic"], change("lab", 3))
    with pytest.raises(Conflict, match="already proposed") as told:
        propose(ledger, desks["region"], change("lab", 3))
    assert first.id[:12] in told.value.remedy
    clock.seconds += MONTH
    # Time is that of blocks: the ledger knows it with the next one.
    propose(ledger, desks["clinic"], change("hospital", 5))
    with pytest.raises(Conflict, match="it is expired"):
        vote(ledger, desks["lab"], first.id, True)
    again = propose(ledger, desks["region"], change("lab", 3))
    assert [one.outcome for one in proposals(ledger)] == ["expired", "open", "open"]
    assert {one.id for one in proposals(ledger) if one.outcome == "open"} >= {again.id}


def test_who_has_no_power_neither_proposes_nor_votes(ledger: EmbeddedLedger, desks: dict[str, Signer]) -> None:
    opened = propose(ledger, desks["clinic"], change("lab", None))
    for name in ("hospital", "region"):
        vote(ledger, desks[name], opened.id, True)
    assert _powers(ledger) == {name: power for name, power in FOUNDERS.items() if name != "lab"}
    for name in ("lab", "stranger"):
        with pytest.raises(Conflict, match=f"no voting power \\({name}\\)"):
            propose(ledger, desks[name], change("clinic", 7))
        with pytest.raises(Conflict, match="no voting power"):
            vote(ledger, desks[name], opened.id, True)


def test_what_names_no_proposal_is_told_which_are_open(ledger: EmbeddedLedger, desks: dict[str, Signer]) -> None:
    with pytest.raises(NotFound) as none:
        vote(ledger, desks["lab"], "0" * 64, True)
    assert none.value.remedy == "no proposal is open" and none.value.retry
    opened = propose(ledger, desks["clinic"], change("lab", 3))
    with pytest.raises(NotFound) as unknown:
        vote(ledger, desks["lab"], "0" * 64, True)
    assert opened.id[:12] in unknown.value.remedy
    for named in ("", opened.id[:7], "lab", opened.id + "0"):
        with pytest.raises(UsageError, match="proposal id is invalid"):
            vote(ledger, desks["lab"], named, True)


def test_what_changes_nothing_is_not_proposed(ledger: EmbeddedLedger, desks: dict[str, Signer]) -> None:
    desk, before = desks["clinic"], ledger.header().size
    with pytest.raises(Conflict, match="already has this power"):
        propose(ledger, desk, change("lab", 1))
    with pytest.raises(Conflict, match="already on the ledger"):
        propose(ledger, desk, addition("lab", 1, seed("east")))
    for power in (None, 4):
        with pytest.raises(NotFound) as told:
            propose(ledger, desk, change("nobody", power))
        assert "clinic, hospital, lab, region" in told.value.remedy
    with pytest.raises(Conflict, match="already registered"):
        propose(ledger, desk, addition("east", 1, seed("lab")))
    with pytest.raises(Conflict, match="proof of possession"):
        propose(ledger, desk, addition("east", 1, seed("east"), chain_id="another"))
    assert (ledger.header().size, proposals(ledger)) == (before, [])


def test_the_last_that_has_power_keeps_it(tmp_path: Path, clock: TurnedClock, desks: dict[str, Signer]) -> None:
    alone = EmbeddedLedger.create(tmp_path / "alone", genesis(clinic=1), clock)
    for power in (None, 0):
        with pytest.raises(Conflict, match="no institution would have voting power"):
            propose(alone, desks["clinic"], change("clinic", power))
    alone.close()


def test_the_words_say_what_would_happen() -> None:
    def said(action: str, power: int) -> str:
        return Proposal("0" * 64, action, "east", power, "lab", (), (), (), 0, 0, "open").words

    assert [said("add", 9), said("power", 1_000), said("remove", 0)] == [
        "east joins with power 9",
        "east has power 1,000",
        "east leaves",
    ]


@given(st.lists(st.integers(0, 50), max_size=8))
def test_so_many_may_be_away_and_not_one_more(powers: list[int]) -> None:
    count, ordered = tolerated_failures(powers), sorted(powers, reverse=True)
    total = sum(powers)
    assert not count or 3 * sum(ordered[count:]) > 2 * total
    assert 3 * sum(ordered[count + 1 :]) <= 2 * total
