"""Events that can't be read or folded: seen in status, tried again, and in nobody else's way."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from domain.message import Recorded
from infrastructure.eventstore.record import NewRecord
from infrastructure.readmodels.follower import Deployment
from infrastructure.readmodels.health import ProjectionHealth
from infrastructure.readmodels.status import Failure
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import CODEC, Logbook
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import METADATA, Raised, Tally, Unheard, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment, followed_tallies
from tests.support.polling import poll_until

SICK, WELL = f"{uuid4().hex[:-1]}1", f"{uuid4().hex[:-1]}2"


@pytest.fixture
def deployed(eventstore_uri: str, redis_uri: str, namespace: str) -> Deployment:
    return deployment(eventstore_uri, redis_uri, namespace, partitions=2)


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, category) as logbook:
        logbook.open([SICK, WELL])
        yield logbook


@pytest.fixture
def projection(category: str, deployed: Deployment, log: Logbook) -> Iterator[Projection[Tally]]:
    with followed_tallies(deployed, category) as followed:
        yield followed


@pytest.fixture
def reader(deployed: Deployment) -> Reader:
    return Reader(deployed)


def failure_of(reader: Reader, projection: Projection[Tally]) -> Failure:
    """What stops the sick partition, once it does; the other one goes on."""
    health = poll_until(lambda: stopped(reader.health(projection)), seconds=WAIT, what="a failure")
    assert health is not None
    well, sick = health.partitions
    assert well.failure is None
    assert sick.failure is not None
    return sick.failure


def stopped(health: ProjectionHealth) -> ProjectionHealth | None:
    return health if health.failure else None


POISON = {
    "EventNotFolded": CODEC.encode(Raised(by=-1), METADATA),
    "UnreadableEvent": NewRecord("TallyRaised", b"{}", CODEC.encode(Raised(by=1), METADATA).metadata),
    "UnknownEventType": NewRecord("TallyOverturned", b"{}", b"{}"),
}


@pytest.mark.parametrize("kind", POISON)
def test_it_stops_its_own_partition_and_is_shown(
    kind: str, log: Logbook, reader: Reader, category: str, projection: Projection[Tally]
) -> None:
    before = log.write(SICK, Raised(by=2))
    position = log.write_raw(SICK, POISON[kind])
    log.write(SICK, Raised(by=4))
    after = log.write(WELL, Raised(by=8))
    failure = failure_of(reader, projection)
    assert (failure.error, failure.stream, failure.version) == (kind, f"{category}-{SICK}", 2)
    assert failure.position == position
    assert reader.row(projection, WELL, at_least=after) == reader.row(projection, WELL)
    well, sick = reader.row(projection, WELL), reader.row(projection, SICK, at_least=before)
    assert well is not None
    assert sick is not None
    assert (well.total, sick.total) == (8, 2)


def test_it_is_tried_again(log: Logbook, reader: Reader, projection: Projection[Tally]) -> None:
    log.write(SICK, Raised(by=-1))
    assert poll_until(lambda: failure_of(reader, projection).attempts >= 2, seconds=WAIT, what="another attempt")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_altogether_is_replaced(
    log: Logbook, reader: Reader, deployed: Deployment, category: str
) -> None:
    ended: list[int] = []
    well = tallies(category)

    def raised(row: Tally | None, recorded: Recorded[Raised]) -> Tally | None:
        if not ended:
            ended.append(recorded.position)
            raise SystemExit
        return well.handlers[Raised](row, recorded)

    projection = Projection(well.name, category, Tally, {**well.handlers, Raised: raised}, well.ignored, well.index)
    with ThreadWorker(deployed, projection):
        reader.wait_until_available(projection)
        position = log.write(WELL, Raised(by=8))
        row = reader.row(projection, WELL, at_least=position)
    assert ended == [position]
    assert row is not None
    assert (row.total, row.version) == (8, 1)


def test_a_release_that_can_fold_it_goes_on_from_there(
    log: Logbook, reader: Reader, deployed: Deployment, category: str
) -> None:
    log.write(SICK, Raised(by=2))
    log.write(SICK, Unheard())
    position = log.write(SICK, Raised(by=4))
    old = tallies(category)
    with ThreadWorker(deployed, old):
        assert failure_of(reader, old).error == "UnknownEventType"
    mended = Projection(old.name, category, Tally, old.handlers, old.ignored | {Unheard}, old.index)
    with ThreadWorker(deployed, mended):
        reader.wait_until_available(mended)
        row = reader.row(mended, SICK, at_least=position)
    assert row is not None
    assert (row.total, row.version) == (6, 3)


def test_other_projections_of_the_same_streams_go_on(
    log: Logbook, reader: Reader, deployed: Deployment, category: str
) -> None:
    log.write(SICK, Unheard())
    position = log.write(SICK, Raised(by=4))
    sick = tallies(category, "sick")
    well = Projection("well", category, Tally, sick.handlers, sick.ignored | {Unheard}, sick.index)
    with ThreadWorker(deployed, sick, well):
        reader.wait_until_available(well)
        row = reader.row(well, SICK, at_least=position)
        assert failure_of(reader, sick).error == "UnknownEventType"
    assert row is not None
    assert (row.owner, row.total) == ("ann", 4)
