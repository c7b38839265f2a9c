"""Read models of one category share a subscription, fail and are built alone, and come together again."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis

from domain.message import Recorded
from infrastructure.readmodels.deployment import Deployment
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import Raised, Tally, raises, tallies, unstorable
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.support.polling import poll_until

TALLIES = new_tallies(3)


@pytest.fixture
def reader(deployed: Deployment) -> Reader:
    return Reader(deployed)


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, category) as logbook:
        logbook.open(TALLIES)
        logbook.raise_all(TALLIES, times=3)
        yield logbook


def subscriptions(category: str) -> int:
    """How many threads of this process read the category."""
    return sum(thread.name.startswith("read ") and category in thread.name for thread in threading.enumerate())


def come_to(number: int, category: str) -> None:
    poll_until(lambda: subscriptions(category) == number, seconds=WAIT, what=f"{number} subscriptions")


def test_one_subscription_feeds_all_of_them(deployed: Deployment, reader: Reader, log: Logbook, category: str) -> None:
    one, other = tallies(category), raises(category)
    with ThreadWorker(deployed, one, other):
        reader.wait_until_available(one)
        reader.wait_until_available(other)
        position = log.raise_all(TALLIES)
        assert reader.totals(one, TALLIES, position) == log.totals
        assert reader.totals(other, TALLIES, position) == log.totals
        assert subscriptions(category) == 1


def test_one_that_can_t_go_on_holds_up_none_of_the_others(
    deployed: Deployment, reader: Reader, log: Logbook, category: str
) -> None:
    sick, well = unlucky(category), raises(category)
    with ThreadWorker(deployed, sick, well):
        reader.wait_until_available(well)
        position = log.write(TALLIES[0], Raised(by=13))
        assert reader.totals(well, TALLIES[1:], position) == {each: log.totals[each] for each in TALLIES[1:]}
        poll_until(lambda: reader.health(sick).failure, seconds=WAIT, what="a failure")
        come_to(2, category)
        position = log.raise_all(TALLIES[1:])
        assert reader.totals(well, TALLIES[1:], position) == {each: log.totals[each] for each in TALLIES[1:]}


def test_one_that_is_built_anew_is_followed_alone_until_it_has_caught_up(
    deployed: Deployment, connection: redis.Redis, reader: Reader, log: Logbook, category: str
) -> None:
    one, other = tallies(category), raises(category)
    with ThreadWorker(deployed, one, other):
        reader.wait_until_available(one)
        reader.wait_until_available(other)
        come_to(1, category)
        connection.delete(f"{{{deployed.namespace}:{one.name}:1:p0}}:checkpoint")
        come_to(2, category)
        reader.wait_until_available(one)
        position = log.raise_all(TALLIES)
        assert reader.totals(one, TALLIES, position) == log.totals
        come_to(1, category)
        position = log.raise_all(TALLIES)
        assert reader.totals(one, TALLIES, position) == log.totals
        assert reader.totals(other, TALLIES, position) == log.totals
        assert [reader.health(each).generation for each in (one, other)] == [2, 1]


def unlucky(category: str) -> Projection[Tally]:
    """Tallies that can't be stored once they are raised by thirteen."""
    well = tallies(category)

    def raised(row: Tally | None, recorded: Recorded[Raised]) -> Tally | None:
        raised = well.handlers[Raised](row, recorded)
        return raised if raised is None or recorded.event.by != 13 else unstorable(raised)

    return replace(well, name="unlucky", handlers={**well.handlers, Raised: raised})
