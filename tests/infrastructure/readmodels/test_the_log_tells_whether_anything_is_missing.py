"""Queries while no worker runs: what the log holds beyond the checkpoint decides between an answer and a refusal."""

from collections.abc import Iterator

import pytest

from infrastructure.readmodels.answers import RowAtPosition
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelBehind
from infrastructure.readmodels.queries import ReadModels
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import Opened, Raised, Remarked, Tally, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
from tests.support.eventstore import EventStoreProcess
from tests.support.positions import at

EVEN, ODD = "0000000a", "0000000b"
SOON = 0.5
"""Seconds after which a query is refused that can't be answered."""


@pytest.fixture
def deployed(eventstore_uri: str, redis_uri: str, namespace: str) -> Deployment:
    return deployment(eventstore_uri, redis_uri, namespace, partitions=2)


@pytest.fixture
def reader(deployed: Deployment) -> Reader:
    return Reader(deployed)


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, category) as logbook:
        yield logbook


@pytest.fixture
def left(log: Logbook, deployed: Deployment, reader: Reader, category: str) -> Projection[Tally]:
    """A projection that a worker had brought up to date when it ended; nothing has come of the odd tally yet."""
    projection = tallies(category)
    position = log.write(EVEN, Opened(owner="ann"), Raised(by=1))
    with ThreadWorker(deployed, projection):
        reader.wait_until_available(projection)
        reader.row(projection, EVEN, at_least=position)
    return projection


def get(
    reader: Reader, projection: Projection[Tally], tally: str, at_least: int, wait: float = WAIT
) -> RowAtPosition[Tally]:
    return reader.ask(lambda models: models.get(projection, tally, at_least=at(at_least), wait=wait))


def test_an_event_of_the_row_is_missing(log: Logbook, reader: Reader, left: Projection[Tally]) -> None:
    position = log.write(EVEN, Raised(by=1))
    with pytest.raises(ReadModelBehind) as behind:
        get(reader, left, EVEN, position, SOON)
    assert (behind.value.at_least, behind.value.position.position < position) == (at(position), True)


def test_an_event_of_a_partition_that_never_had_one_is_missing(
    log: Logbook, reader: Reader, left: Projection[Tally]
) -> None:
    position = log.write(ODD, Opened(owner="bob"))
    with pytest.raises(ReadModelBehind):
        get(reader, left, ODD, position, SOON)


def test_an_event_that_changes_nothing_may_be_missing_too(
    log: Logbook, reader: Reader, left: Projection[Tally]
) -> None:
    """The worker is asked to pass it; a query does not judge events."""
    position = log.write(EVEN, Remarked())
    with pytest.raises(ReadModelBehind):
        get(reader, left, EVEN, position, SOON)


def test_events_of_others_are_not_missing(log: Logbook, reader: Reader, left: Projection[Tally]) -> None:
    position = log.elsewhere(2)
    read = get(reader, left, EVEN, position)
    assert (read.row and read.row.total, read.position) == (1, position)
    read = get(reader, left, ODD, position)
    assert (read.row, read.position) == (None, position)


def test_events_of_another_partition_are_missing_there_only(
    log: Logbook, reader: Reader, left: Projection[Tally]
) -> None:
    position = log.write(ODD, Opened(owner="bob"))
    assert get(reader, left, EVEN, position).position == position
    with pytest.raises(ReadModelBehind):
        reader.ask(lambda models: models.page(left, "owner:bob", limit=1, at_least=at(position), wait=SOON))


def test_an_event_after_the_token_is_not_missing(log: Logbook, reader: Reader, left: Projection[Tally]) -> None:
    token = log.elsewhere(1)
    log.write(EVEN, Raised(by=1))
    read = get(reader, left, EVEN, token)
    assert (read.row and read.row.total, read.position) == (1, token)


def test_a_query_writes_nothing(log: Logbook, reader: Reader, left: Projection[Tally]) -> None:
    before = reader.health(left).partitions
    position = log.elsewhere(1)
    assert get(reader, left, EVEN, position).position == position
    assert [part.position for part in reader.health(left).partitions] == [part.position for part in before]


def test_what_the_log_said_once_is_not_asked_again(redis_uri: str, namespace: str, category: str) -> None:
    """While the checkpoint stays where it is, the answer holds, also without the store."""
    projection = tallies(category)
    with EventStoreProcess(None) as store, Logbook(store.uri, category) as log:
        deployed = deployment(store.uri, redis_uri, namespace, partitions=2)
        reader = Reader(deployed)
        written = log.write(EVEN, Opened(owner="ann"))
        with ThreadWorker(deployed, projection):
            reader.wait_until_available(projection)
            row = reader.row(projection, EVEN, at_least=written)
        token = log.elsewhere(1)

        async def question(models: ReadModels) -> None:
            read = await models.get(projection, EVEN, at_least=at(token), wait=WAIT)
            assert (read.row, read.position) == (row, token)
            store.kill()
            assert await models.get(projection, EVEN, at_least=at(token), wait=WAIT) == read
            with pytest.raises(ReadModelBehind):
                await models.get(projection, EVEN, at_least=at(token + 1), wait=SOON)

        reader.ask(question)
