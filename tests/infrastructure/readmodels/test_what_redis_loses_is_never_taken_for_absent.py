"""Single keys that Redis loses, as under a policy that evicts: a query says so, and the worker builds anew."""

from collections.abc import Callable, Iterator

import pytest
import redis

from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.follower import Deployment
from infrastructure.readmodels.keys import PartitionKeys
from projections.projection import Entry, Projection
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import Opened, Raised, Tally, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
from tests.support.polling import poll_until

TALLY, OTHER = "0000000a", "0000000b"
LOSSES = {
    "a row": lambda keys: keys.row(TALLY),
    "an index": lambda keys: keys.index("owner:ann"),
    "the ids": lambda keys: keys.ids,
    "the sizes": lambda keys: keys.sizes,
}
Loss = Callable[[PartitionKeys], str]


@pytest.fixture
def deployed(eventstore_uri: str, redis_uri: str, namespace: str) -> Deployment:
    return deployment(eventstore_uri, redis_uri, namespace)


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, category) as logbook:
        yield logbook


@pytest.fixture
def left(log: Logbook, deployed: Deployment, category: str) -> Projection[Tally]:
    """Two tallies of one owner, which a worker had folded when it ended."""
    projection = tallies(category)
    log.write(TALLY, Opened(owner="ann"), Raised(by=1))
    position = log.write(OTHER, Opened(owner="ann"), Raised(by=2))
    with ThreadWorker(deployed, projection):
        Reader(deployed).wait_until_available(projection)
        Reader(deployed).row(projection, TALLY, at_least=position)
    return projection


def lose(connection: redis.Redis, namespace: str, loss: Loss) -> None:
    assert connection.delete(loss(PartitionKeys(namespace, "tallies", 1, 0))) == 1


def row_and_entries(deployed: Deployment, left: Projection[Tally]) -> tuple[Tally | None, list[Entry]]:
    """What queries make of the one tally, and of the list that it stands in."""
    return Reader(deployed).row(left, TALLY), Reader(deployed).entries(left, "owner:ann")


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_what_is_lost_is_unavailable(
    loss: Loss, connection: redis.Redis, namespace: str, deployed: Deployment, left: Projection[Tally]
) -> None:
    lose(connection, namespace, loss)
    with pytest.raises(ReadModelUnavailable, match="Redis has lost"):
        row_and_entries(deployed, left)


def test_what_never_was_is_absent(deployed: Deployment, left: Projection[Tally]) -> None:
    assert Reader(deployed).row(left, "0000000c") is None
    assert Reader(deployed).entries(left, "owner:nobody") == []


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_what_is_lost_is_built_anew_on_a_quiet_log(
    loss: Loss, connection: redis.Redis, namespace: str, deployed: Deployment, left: Projection[Tally]
) -> None:
    reader = Reader(deployed)
    with ThreadWorker(deployed, left):
        lose(connection, namespace, loss)
        poll_until(lambda: reader.health(left).generation == 2, seconds=WAIT, what="the next generation")
        assert reader.totals(left, [TALLY, OTHER], 0) == {TALLY: 1, OTHER: 2}
        assert len(reader.entries(left, "owner:ann")) == 2


def test_an_event_is_not_folded_into_a_row_that_is_lost(
    connection: redis.Redis, namespace: str, deployed: Deployment, log: Logbook, left: Projection[Tally]
) -> None:
    lose(connection, namespace, LOSSES["a row"])
    position = log.write(TALLY, Raised(by=5))
    with ThreadWorker(deployed, left):
        reader = Reader(deployed)
        poll_until(lambda: reader.health(left).generation == 2, seconds=WAIT, what="the next generation")
        assert reader.totals(left, [TALLY, OTHER], position) == {TALLY: 6, OTHER: 2}
