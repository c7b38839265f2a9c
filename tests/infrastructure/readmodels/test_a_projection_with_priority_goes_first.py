"""While a worker has more to fold than it can at once, the projections that are named come first; none stands still."""

import threading
import time
from dataclasses import replace

import pytest

from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.turns import Turns
from service.settings import Settings
from service.workers.projections import deployment_of
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import WAIT
from tests.infrastructure.readmodels.tallies import raises, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
from tests.support.polling import poll_until

HIGH, LOW = 0, 1


@pytest.mark.parametrize("first", ["tallies", "raises"])
def test_the_one_that_is_named_has_caught_up_first_and_then_the_other(
    eventstore_uri: str, redis_uri: str, namespace: str, category: str, first: str
) -> None:
    with Logbook(eventstore_uri, category) as log:
        log.raise_all(new_tallies(5), times=1_000)
    deployed = replace(deployment(eventstore_uri, redis_uri, namespace), priorities=("no_such", first))
    with ThreadWorker(deployed, tallies(category), raises(category)):
        assert poll_until(lambda: live(deployed), seconds=WAIT, what="the first to catch up") == {first}
        poll_until(lambda: len(live(deployed)) == 2, seconds=WAIT, what="the other to catch up")


def test_the_setting_names_them_in_their_order() -> None:
    settings = Settings(
        eventstore_uri="esdb://127.0.0.1:1?tls=false",
        redis_uri="redis://127.0.0.1:1",
        priorities=("stock_levels", "order_summary"),
    )
    assert deployment_of(settings).priorities == ("stock_levels", "order_summary")


def live(deployed: Deployment) -> set[str]:
    """The names of those that have come to the end of the log."""
    return {name for (name, _, _), status in tuple(deployed.reports.items()) if status.state == "live"}


def test_nobody_waits_for_one_of_the_same_rank_or_a_larger_one() -> None:
    turns = Turns(seconds=60)
    turns.wait("low", LOW, behind=True)
    turns.wait("high", HIGH, behind=True)
    assert has_ended(waiting(turns, "another high", HIGH))


def test_the_wait_for_a_smaller_rank_is_bounded() -> None:
    turns = Turns(seconds=0.2)
    turns.wait("high", HIGH, behind=True)
    begun = time.monotonic()
    assert has_ended(waiting(turns, "low", LOW))
    assert time.monotonic() - begun >= 0.2


@pytest.mark.parametrize("how", ["leaves", "keeps up"])
def test_a_wait_ends_when_the_smaller_rank_leaves_or_keeps_up(how: str) -> None:
    turns = Turns(seconds=60)
    turns.wait("high", HIGH, behind=True)
    low = waiting(turns, "low", LOW)
    if how == "leaves":
        turns.leave("high")
    else:
        turns.wait("high", HIGH, behind=False)
    assert has_ended(low)


def waiting(turns: Turns, follower: str, rank: int) -> threading.Thread:
    """A thread that waits for the follower's turn."""
    thread = threading.Thread(target=turns.wait, args=(follower, rank), kwargs={"behind": True}, daemon=True)
    thread.start()
    return thread


def has_ended(thread: threading.Thread) -> bool:
    """Whether it ends within a bound that is far below sixty seconds."""
    thread.join(10)
    return not thread.is_alive()
