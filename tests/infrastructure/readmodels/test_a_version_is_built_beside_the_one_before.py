"""Workers of two releases: a new version is built beside the one before, which goes on until the new one is there."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis

from domain.message import Recorded
from domain.value import changed, value
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.keys import ProjectionKeys
from projections.projection import Projection, Row
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import (
    Closed,
    Opened,
    Raised,
    Remarked,
    Tally,
    Unheard,
    tallies,
    unstorable,
)
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
from tests.support.polling import poll_until

TALLIES = new_tallies(4)


@value
class Counted(Row):
    """In version 2: how often the tally was raised, and `total` is counted in tenths."""

    total: int
    times: int


def _opened(row: Counted | None, recorded: Recorded[Opened]) -> Counted:
    return Counted(total=0, times=0)


def _raised(row: Counted | None, recorded: Recorded[Raised]) -> Counted | None:
    return None if row is None else changed(row, total=row.total + 10 * recorded.event.by, times=row.times + 1)


def _closed(row: Counted | None, recorded: Recorded[Closed]) -> None:
    return None


def first(category: str) -> Projection[Tally]:
    return replace(tallies(category), ignored=frozenset({Remarked, Unheard}))


def second(category: str) -> Projection[Counted]:
    """Built in no time."""
    return Projection(
        name="tallies",
        category=category,
        row=Counted,
        handlers={Opened: _opened, Raised: _raised, Closed: _closed},
        ignored=frozenset({Remarked, Unheard}),
        version=2,
    )


def held_up(category: str) -> Projection[Counted]:
    """Stopped by rows that can't be stored."""

    def opened(row: Counted | None, recorded: Recorded[Opened]) -> Counted:
        return unstorable(_opened(row, recorded))

    return replace(second(category), handlers={**second(category).handlers, Opened: opened})


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, category) as logbook:
        logbook.open(TALLIES)
        logbook.write(TALLIES[0], Unheard())
        yield logbook


@pytest.fixture
def deployed(eventstore_uri: str, redis_uri: str, namespace: str) -> Deployment:
    return deployment(eventstore_uri, redis_uri, namespace, partitions=2)


def refusal(reader: Reader, projection: Projection[Counted] | Projection[Tally]) -> str:
    with pytest.raises(ReadModelUnavailable) as refused:
        reader.ask(lambda models: models.page(projection, "none", limit=1))
    return refused.value.reason


def generations(connection: redis.Redis, namespace: str) -> set[tuple[int, int] | None]:
    """The versions and numbers of which anything is stored."""
    keys = ProjectionKeys(namespace, "tallies")
    return {keys.generation_of(key.decode()) for key in connection.scan_iter(match=keys.generations_pattern)}


def test_the_one_before_is_folded_and_served_while_the_new_one_is_built(
    deployed: Deployment, log: Logbook, category: str
) -> None:
    old, new, reader = first(category), held_up(category), Reader(deployed)
    with ThreadWorker(deployed, old), ThreadWorker(deployed, new):
        reader.wait_until_available(old)
        poll_until(lambda: reader.health(new).failure, seconds=WAIT, what="what holds it up")
        assert reader.totals(old, TALLIES, log.raise_all(TALLIES, times=2)) == log.totals
        assert refusal(reader, new) == "its version 2 is being built, version 1 is live until then"
        before, after = reader.health(old), reader.health(new)
    assert (before.caught_up, before.failure, before.building, before.later_version) == (True, None, None, None)
    assert (after.live, after.later_version, after.building is not None) == (False, None, True)


def test_the_one_before_stops_once_the_new_one_is_there_and_touches_nothing_of_it(
    deployed: Deployment, connection: redis.Redis, log: Logbook, category: str
) -> None:
    old, new, reader = first(category), second(category), Reader(deployed)
    with ThreadWorker(deployed, old):
        reader.wait_until_available(old)
        with ThreadWorker(deployed, new):
            reader.wait_until_available(new)
            position = log.raise_all(TALLIES, times=3)
            assert reader.totals(new, TALLIES, position) == {each: 10 * log.totals[each] for each in TALLIES}
            assert refusal(reader, old) == ("a later release has taken over with version 2, this release has version 1")
            swept = {(2, 2)}
            poll_until(lambda: generations(connection, deployed.namespace) == swept, seconds=WAIT, what="the unlinking")
        with ThreadWorker(deployed, old):  # as an old release that is started once more
            position = log.raise_all(TALLIES)
            with ThreadWorker(deployed, new):
                assert reader.totals(new, TALLIES, position) == {each: 10 * log.totals[each] for each in TALLIES}
        told = reader.health(old)
    assert (told.live, told.later_version, told.partitions) == (False, 2, ())
    assert generations(connection, deployed.namespace) == {(2, 2)}
