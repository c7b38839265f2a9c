"""Rows and pages, read with a position token: in time, too early, and where there is nothing to read."""

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.answers import RowAtPosition
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelBehind, ReadModelUnavailable
from infrastructure.readmodels.queries import ReadModels
from projections.projection import Entry, Projection
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import Closed, Opened, Raised, Tally, new_category, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until, poll_until_async
from tests.support.positions import at


@pytest.fixture(scope="module")
def category() -> str:
    return new_category()


@pytest.fixture(scope="module", params=[1, 4], ids=["one partition", "four partitions"])
def deployed(request: pytest.FixtureRequest, eventstore_uri: str, redis_uri: str) -> Deployment:
    return deployment(eventstore_uri, redis_uri, f"test-{new_category()}", request.param)


@pytest.fixture(scope="module")
def followed(category: str, deployed: Deployment) -> Iterator[Projection[Tally]]:
    """A projection that a worker keeps up to date."""
    projection = tallies(category)
    with ThreadWorker(deployed, projection):
        Reader(deployed).wait_until_available(projection)
        yield projection


@pytest.fixture
def log(eventstore_uri: str, category: str) -> Iterator[Logbook]:
    with Logbook(eventstore_uri, category) as logbook:
        yield logbook


@pytest.fixture
def reader(deployed: Deployment) -> Reader:
    return Reader(deployed)


def test_a_row_that_was_just_written_is_read_with_its_token(
    log: Logbook, reader: Reader, followed: Projection[Tally]
) -> None:
    [tally] = new_tallies(1)
    opened = log.open([tally], owner="eve")
    position = log.write(tally, Raised(by=5))
    read = reader.ask(lambda models: models.get(followed, tally, at_least=at(position)))
    assert (read.row, read.position) == (Tally(owner="eve", total=5, opened=opened, version=1), position)


def test_what_does_not_exist_is_none_at_a_position(log: Logbook, reader: Reader, followed: Projection[Tally]) -> None:
    [tally] = new_tallies(1)
    position = log.elsewhere(1)
    read = reader.ask(lambda models: models.get(followed, tally, at_least=at(position)))
    assert read.row is None
    assert read.position >= position


def test_a_quiet_log_does_not_let_a_query_wait_in_vain(
    log: Logbook, reader: Reader, followed: Projection[Tally]
) -> None:
    """No checkpoint comes for a few events of others; the log itself says that nothing is missing."""
    [tally] = new_tallies(1)
    log.open([tally])
    position = log.elsewhere(3)
    begun = time.monotonic()
    read = reader.ask(lambda models: models.get(followed, tally, at_least=at(position), wait=WAIT))
    assert read.row is not None
    assert read.position >= position
    assert time.monotonic() - begun < WAIT / 4


def test_no_patience_is_needed_where_nothing_is_missing(
    log: Logbook, reader: Reader, followed: Projection[Tally]
) -> None:
    position = log.elsewhere(1)
    read = poll_until(lambda: _read_at_once(reader, followed, position), WAIT, what="the log's answer in its 100 ms")
    assert read is not None
    assert read.position >= position


def _read_at_once(reader: Reader, followed: Projection[Tally], position: int) -> RowAtPosition[Tally] | None:
    with suppress(ReadModelBehind):  # where the store takes longer than a query that does not wait gives it
        return reader.ask(lambda models: models.get(followed, new_tallies(1)[0], at_least=at(position), wait=0.0))
    return None


def test_a_token_from_beyond_the_end_of_the_log_is_not_waited_for(
    log: Logbook, reader: Reader, followed: Projection[Tally]
) -> None:
    [tally] = new_tallies(1)
    position = log.open([tally])
    assert reader.row(followed, tally, at_least=position) is not None
    begun = time.monotonic()
    with pytest.raises(ReadModelBehind) as behind:
        reader.ask(lambda models: models.get(followed, tally, at_least=at(position + 10**9), wait=WAIT))
    assert time.monotonic() - begun < WAIT / 2
    assert behind.value.at_least == at(position + 10**9)
    assert position <= behind.value.position.position < position + 10**9


def test_a_closed_tally_is_gone_from_rows_and_index(log: Logbook, reader: Reader, followed: Projection[Tally]) -> None:
    [tally, other] = new_tallies(2)
    owner = new_category()
    log.open([tally], owner)
    opened = log.open([other], owner)
    position = log.write(tally, Closed())
    assert reader.row(followed, tally, at_least=position) is None
    assert reader.entries(followed, f"owner:{owner}") == [Entry(f"owner:{owner}", str(opened), opened)]


@pytest.mark.parametrize("limit", [1, 3, 7, 50])
def test_a_long_list_pages_completely_newest_first(
    log: Logbook, reader: Reader, followed: Projection[Tally], limit: int
) -> None:
    owner = new_category()
    opened = [log.open([tally], owner) for tally in new_tallies(21)]
    reader.ask(lambda models: models.page(followed, "none", limit=1, at_least=at(opened[-1])))
    entries = reader.entries(followed, f"owner:{owner}", limit)
    assert [entry.score for entry in entries] == sorted(opened, reverse=True)


def test_a_list_that_ends_with_its_page_has_no_next(log: Logbook, reader: Reader, followed: Projection[Tally]) -> None:
    owner = new_category()
    position = log.open(new_tallies(3), owner)
    page = reader.ask(lambda models: models.page(followed, f"owner:{owner}", limit=3, at_least=at(position)))
    assert (len(page.entries), page.next) == (3, None)
    assert page.position >= position


def test_rows_come_in_the_order_asked_for(log: Logbook, reader: Reader, followed: Projection[Tally]) -> None:
    several = new_tallies(9)
    positions = {tally: log.write(tally, Opened(owner=tally)) for tally in several}
    unknown = new_tallies(1)
    reader.ask(lambda models: models.page(followed, "none", limit=1, at_least=at(max(positions.values()))))
    rows = reader.ask(lambda models: models.rows(followed, [*several, *unknown, several[0]]))
    assert [row.owner if row else None for row in rows] == [*several, None, several[0]]


def test_no_rows_are_no_question(reader: Reader, followed: Projection[Tally]) -> None:
    assert reader.ask(lambda models: models.rows(followed, [])) == []


def test_what_was_never_built_is_unavailable_not_empty(reader: Reader, followed: Projection[Tally]) -> None:
    never = tallies(followed.category, "never_built")
    with pytest.raises(ReadModelUnavailable):
        reader.row(never, new_tallies(1)[0])
    with pytest.raises(ReadModelUnavailable):
        reader.entries(never, "owner:ann")
    with pytest.raises(ReadModelUnavailable):
        reader.ask(lambda models: models.rows(never, new_tallies(1)))


def test_health_tells_of_the_live_generation(reader: Reader, deployed: Deployment, followed: Projection[Tally]) -> None:
    health = reader.health(followed)
    assert (health.live, health.generation, health.building) == (True, 1, None)
    assert (health.alive, health.caught_up, health.failure) == (True, True, None)
    assert len(health.partitions) == deployed.partitions


def test_health_of_what_was_never_built_says_so(reader: Reader, followed: Projection[Tally]) -> None:
    health = reader.health(tallies(followed.category, "never_built"))
    assert (health.live, health.alive, health.caught_up, health.partitions) == (False, False, False, ())


def test_a_redis_that_is_away_is_said_to_be(eventstore_uri: str, category: str) -> None:
    nowhere = Reader(deployment(eventstore_uri, "unix:///nowhere/redis.sock", "any"))
    with pytest.raises(ReadModelUnavailable, match=r"^tallies: Redis: "):
        nowhere.row(tallies(category), new_tallies(1)[0])


def test_rows_of_a_store_that_was_replaced_are_not_answered_at_a_position_of_the_new_one(
    redis_uri: str, category: str
) -> None:
    projection, [tally] = tallies(category), new_tallies(1)
    with EventStoreProcess(None) as store:
        deployed = deployment(store.uri, redis_uri, f"test-{new_category()}")
        with Logbook(store.uri, category) as log:
            position = log.open([tally])
        with ThreadWorker(deployed, projection):
            Reader(deployed).wait_until_available(projection)

        async def ask_before_and_after(models: ReadModels) -> None:
            assert (await models.get(projection, tally, at_least=at(position), wait=WAIT)).row is not None
            store.kill()
            store.start()
            # the store is asked for its identity again every half a second
            await poll_until_async(lambda: _is_refused(models, projection, tally), WAIT, what="a refusal")

        Reader(deployed).ask(ask_before_and_after)
        with open_reader(store.uri) as log_reader:
            store_identity(log_reader)
        Reader(deployed).ask(lambda models: _demand_refusal(models, projection, tally))


async def _is_refused(models: ReadModels, projection: Projection[Tally], tally: str) -> bool:
    try:
        await models.get(projection, tally, at_least=at(1))
    except ReadModelUnavailable as refusal:
        return "folded from another event store" in str(refusal)
    return False


async def _demand_refusal(models: ReadModels, projection: Projection[Tally], tally: str) -> None:
    with pytest.raises(ReadModelUnavailable, match="folded from another event store"):
        await models.get(projection, tally, at_least=at(1))
