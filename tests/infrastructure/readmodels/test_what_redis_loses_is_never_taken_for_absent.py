"""Single keys that Redis loses, as under a policy that evicts: a query says so, and the worker mends them."""

from collections.abc import Callable, Iterator

import pytest
import redis
import structlog

from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from projections.projection import Entry, Projection
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import Opened, Raised, Tally, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker
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


def whole_again(deployed: Deployment, left: Projection[Tally], repairs: int) -> None:
    """Returns when so much was mended, and all is answered, from the same generation."""
    reader = Reader(deployed)
    poll_until(lambda: reader.health(left).repairs == repairs, seconds=WAIT, what="the mending")
    assert reader.totals(left, [TALLY, OTHER], 0) == {TALLY: 1, OTHER: 2}
    assert len(reader.entries(left, "owner:ann")) == 2
    assert reader.health(left).generation == 1


def test_what_is_lost_is_mended_on_a_quiet_log(
    connection: redis.Redis, namespace: str, deployed: Deployment, left: Projection[Tally]
) -> None:
    keys = PartitionKeys(namespace, "tallies", 1, 0)
    with structlog.testing.capture_logs() as lines, ThreadWorker(deployed, left):
        poll_until(lambda: Reader(deployed).health(left).alive, seconds=WAIT, what="the worker")
        connection.delete(keys.row(TALLY), keys.row(OTHER), keys.index("owner:ann"))
        whole_again(deployed, left, repairs=4)
    place = {"projection": "tallies", "generation": 1, "partition": 0, "log_level": "warning"}
    assert [line for line in lines if line["event"] == "read_model_mended"] == [
        {"event": "read_model_mended", "what": "rows", "number": 2, **place},
        {"event": "read_model_mended", "what": "indexes", "number": 1, **place},
    ]


def test_a_row_that_the_worker_still_holds_is_stored_again(
    connection: redis.Redis, namespace: str, deployed: Deployment, log: Logbook, left: Projection[Tally]
) -> None:
    """Its stream is not needed for that: it may have been cut."""
    reader = Reader(deployed)
    with ThreadWorker(deployed, left), operating(deployed.eventstore_uri) as operator:
        assert reader.row(left, TALLY, at_least=log.write(TALLY, Raised(by=0))) is not None
        operator.set_metadata(f"{left.category}-{TALLY}", {"$tb": 2})
        lose(connection, namespace, LOSSES["a row"])
        whole_again(deployed, left, repairs=1)


@pytest.mark.parametrize("loss", [LOSSES["the ids"], LOSSES["the sizes"]], ids=["the ids", "the sizes"])
def test_without_its_inventory_a_read_model_is_built_anew(
    loss: Loss, connection: redis.Redis, namespace: str, deployed: Deployment, left: Projection[Tally]
) -> None:
    with ThreadWorker(deployed, left):
        lose(connection, namespace, loss)
        built_anew(deployed, left)


def test_a_row_whose_stream_was_cut_is_built_anew_from_the_log(
    connection: redis.Redis, namespace: str, deployed: Deployment, left: Projection[Tally]
) -> None:
    with operating(deployed.eventstore_uri) as operator:
        operator.set_metadata(f"{left.category}-{TALLY}", {"$tb": 1})
    lose(connection, namespace, LOSSES["a row"])
    with ThreadWorker(deployed, left):
        built_anew(deployed, left)


def built_anew(deployed: Deployment, left: Projection[Tally]) -> None:
    """Returns when all is answered from the next generation."""
    reader = Reader(deployed)
    poll_until(lambda: reader.health(left).generation == 2, seconds=WAIT, what="the next generation")
    assert reader.totals(left, [TALLY, OTHER], 0) == {TALLY: 1, OTHER: 2}
    assert len(reader.entries(left, "owner:ann")) == 2


def test_an_event_is_not_folded_into_a_row_that_is_lost(
    connection: redis.Redis, namespace: str, deployed: Deployment, log: Logbook, left: Projection[Tally]
) -> None:
    """It is mended first, as it was before that event."""
    lose(connection, namespace, LOSSES["a row"])
    position = log.write(TALLY, Raised(by=5))
    with ThreadWorker(deployed, left):
        reader = Reader(deployed)
        assert reader.totals(left, [TALLY, OTHER], position) == {TALLY: 6, OTHER: 2}
        assert reader.health(left).generation == 1


def test_a_pointer_of_another_type_counts_as_lost_and_the_read_model_is_built_anew(
    connection: redis.Redis, namespace: str, deployed: Deployment, left: Projection[Tally]
) -> None:
    live = ProjectionKeys(namespace, left.name).live
    with connection.pipeline(transaction=True) as pipeline:
        pipeline.delete(live)
        pipeline.rpush(live, "no pointer")
        pipeline.execute()
    assert Reader(deployed).health(left).generation is None
    with pytest.raises(ReadModelUnavailable):
        Reader(deployed).row(left, TALLY)
    with ThreadWorker(deployed, left):
        Reader(deployed).wait_until_available(left)
    assert Reader(deployed).health(left).generation == 2
