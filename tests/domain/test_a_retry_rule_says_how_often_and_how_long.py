"""How often a refused step is asked for, after which pauses, and which rules make no sense."""

from datetime import timedelta

import pytest

from domain.retry_rule import RetryRule


def test_pauses_double_up_to_the_longest() -> None:
    rule = RetryRule(6, timedelta(seconds=1), timedelta(seconds=5))
    assert [rule.pause_after(refusals).total_seconds() for refusals in (1, 2, 3, 4, 10_000)] == [1, 2, 4, 5, 5]


def test_it_is_exhausted_after_so_many_refusals_or_a_final_one() -> None:
    rule = RetryRule(2, final=frozenset({"no-account"}))
    assert [rule.is_exhausted(refusals, "busy") for refusals in (1, 2, 3)] == [False, True, True]
    assert rule.is_exhausted(1, "no-account")


@pytest.mark.parametrize(
    ("times", "first", "longest", "said"),
    [
        (0, 1.0, 2.0, "a step is asked for at least once, not 0 times"),
        (2, 0.0, 2.0, "pauses grow from more than none"),
        (2, 3.0, 2.0, "pauses grow from more than none"),
        (14, 10.0, 10.0, "pauses of 14 times come to more than 0:02:00"),
        (1_001, 0.001, 0.001, "pauses of 1001 times come to more than 0:02:00"),
    ],
)
def test_one_that_makes_no_sense_is_refused(times: int, first: float, longest: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RetryRule(times, timedelta(seconds=first), timedelta(seconds=longest))


def test_two_minutes_of_pauses_are_allowed() -> None:
    assert RetryRule(13, timedelta(seconds=10), timedelta(seconds=10)).times == 13
