from __future__ import annotations

from xinglin.identity.model.expectation import Lesson, expect
from xinglin.identity.model.levels import COMPARISONS, prior_model
from xinglin.identity.model.training import learned, with_u


def test_prior_probabilities_of_a_comparison_add_up_to_one() -> None:
    for comparison in COMPARISONS:
        assert abs(sum(level.m for level in comparison.levels) - 1) < 1e-9, comparison.name
        assert abs(sum(level.u for level in comparison.levels) - 1) < 0.001, comparison.name


def test_the_strictest_level_speaks_for_a_match_and_the_last_against_one() -> None:
    for comparison in COMPARISONS:
        first, last = comparison.levels[0], comparison.levels[-1]
        assert first.m > first.u and last.m < last.u, comparison.name


def lesson(m: list[float], weight: float) -> dict[str, list[Lesson]]:
    return {"gender": [Lesson(m, weight)]}


def test_a_lesson_that_contradicts_its_comparison_is_not_learned() -> None:
    comparisons, doubted = learned(prior_model(), lesson([0.01, 0.99], 10_000))
    assert doubted == ["gender"]
    assert comparisons[3] == prior_model()[3]


def test_much_data_teach_more_than_little() -> None:
    little, much = (
        learned(prior_model(), lesson([0.90, 0.10], weight))[0][3]["comparison_levels"][1]["m_probability"]
        for weight in (100, 100_000)
    )
    assert 0.90 < much < little < 0.98


def test_a_comparison_that_nothing_was_taught_about_stays_as_believed() -> None:
    assert learned(prior_model(), {}) == (prior_model(), [])


def test_pairs_that_all_agree_do_not_stop_the_training() -> None:
    m = [[level.m for level in comparison.levels] for comparison in COMPARISONS]
    u = [[level.u for level in comparison.levels] for comparison in COMPARISONS]
    patterns = [((0, 0, 0, 0, 0, -1, -1, 0), 100), ((-1, 0, -1, -1, -1, -1, -1, -1), 45)]
    lessons = expect(patterns, m, u, [True] * 8)
    taught = {comparison.name: [lessons[at]] for at, comparison in enumerate(COMPARISONS) if lessons[at].weight >= 1}
    for comparison in learned(prior_model(), taught)[0]:
        scored = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        assert all(0 < level["m_probability"] < 1 for level in scored)


def test_matches_among_random_pairs_are_taken_out_of_u() -> None:
    seen = {comparison.name: [None for _ in comparison.levels] for comparison in COMPARISONS}
    seen["gender"] = [0.51, 0.49]
    level = with_u(prior_model(), seen, probability=0.1)[3]["comparison_levels"][1]
    assert abs(level["u_probability"] - (0.51 - 0.098) / (0.412 + 0.488)) < 1e-5
