"""What follows a failure: waiting for a store that is away, stopping at what keeps failing and at a bug."""

import pytest

from domain.errors import Rejected, Unknown
from infrastructure.eventstore.errors import ConcurrencyConflict, StoreUnavailable, UnreadableEvent
from infrastructure.sagas.errors import SagaStuck
from infrastructure.sagas.failures import HANDLED, after_failure
from infrastructure.subscriptions.policy import Retry, Stop, back_off


@pytest.mark.parametrize(
    "error", [StoreUnavailable("10.0.0.1:2113", "away"), ConcurrencyConflict("shelf-0", 10)], ids=repr
)
def test_a_store_that_is_away_or_contended_is_waited_for(error: Exception) -> None:
    reaction = after_failure(error, 1_000)
    assert isinstance(reaction, Retry)
    assert 3.0 < reaction.after < 7.0


@pytest.mark.parametrize(
    "error",
    [
        Rejected("closed", "It is."),
        Unknown("order", "0"),
        SagaStuck("s-0", "take", "is pending still"),
        UnreadableEvent("s-0", 1, 2, "?"),
    ],
    ids=repr,
)
def test_what_keeps_failing_stops_with_its_reason(error: Exception) -> None:
    reactions = [after_failure(error, failures) for failures in range(1, HANDLED + 1)]
    assert [type(reaction) for reaction in reactions] == [Retry] * (HANDLED - 1) + [Stop]
    assert reactions[-1] == Stop(f"{type(error).__name__}: {error}")


def test_a_bug_stops() -> None:
    assert after_failure(KeyError("sku"), 1) == Stop("KeyError: 'sku'")


def test_pauses_double_up_to_the_longest_with_some_jitter() -> None:
    for failures, middle in [(1, 0.1), (2, 0.2), (5, 1.6), (8, 10.0), (10_000, 10.0)]:
        assert 0.75 * middle <= back_off(failures) <= 1.25 * middle
