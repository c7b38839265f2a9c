"""An older copy of the store that is put back and grows again: positions of old may lie at other events of now."""

import threading

import pytest

from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.follower import Follower
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.member import Member
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.skip_readers import SkipWatch
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import WAIT
from tests.infrastructure.readmodels.restored import TALLY, Restored
from tests.infrastructure.readmodels.tallies import Opened, Raised, Tally, new_category, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.support.polling import poll_until


@pytest.fixture
def projection(category: str) -> Projection[Tally]:
    return tallies(category)


def total(restored: Restored, projection: Projection[Tally], position: int) -> int | None:
    return restored.reader.totals(projection, [TALLY], position).get(TALLY)


def test_another_end_of_the_same_sizes_is_folded_anew(restored: Restored, projection: Projection[Tally]) -> None:
    """The checkpoint's position is a record of the new history, and the log has grown beyond it."""
    restored.begin()
    with ThreadWorker(restored.deployed, projection):
        restored.reader.wait_until_available(projection)
        restored.copy()
        position = restored.write(1, 1)
        assert total(restored, projection, position) == 2
    restored.put_back()
    again = restored.write(5, 5)
    assert again == position
    position = restored.write(5)
    with ThreadWorker(restored.deployed, projection):
        generation_is(restored, projection, 2)
        assert total(restored, projection, position) == 15


def test_a_worker_that_goes_on_notices_it_too(restored: Restored, projection: Projection[Tally]) -> None:
    restored.begin()
    restored.copy()
    position = restored.write(1, 1)
    with ThreadWorker(restored.deployed, projection):
        restored.reader.wait_until_available(projection)
        assert total(restored, projection, position) == 2
        restored.put_back()
        position = restored.write(5, 5, 5)
        generation_is(restored, projection, 2)
        assert total(restored, projection, position) == 15


def test_events_that_were_never_folded_are_found_before_the_checkpoint(
    restored: Restored, projection: Projection[Tally]
) -> None:
    """The anchor still stands, but what comes after it is other than it was: the checkpoint had gone on alone."""
    restored.begin()
    another = new_category()
    with Logbook(restored.store.uri, another) as log:
        log.write(TALLY, Opened(owner="ann"))
    restored.copy()
    with Logbook(restored.store.uri, another) as log:
        log.write(TALLY, Raised(by=1))
        position = log.elsewhere(1_200)
    with ThreadWorker(restored.deployed, projection):
        restored.reader.wait_until_available(projection)
        assert total(restored, projection, position) == 0
    restored.put_back()
    restored.write(7)
    with Logbook(restored.store.uri, projection.category) as log:
        position = log.elsewhere(2_000)
    with ThreadWorker(restored.deployed, projection):
        generation_is(restored, projection, 2)
        assert total(restored, projection, position) == 7


def test_a_record_that_means_nothing_is_an_anchor_too(restored: Restored, projection: Projection[Tally]) -> None:
    """It is no event that was never folded: the generation lives on."""
    restored.begin()
    restored.remark()
    with ThreadWorker(restored.deployed, projection):
        restored.reader.wait_until_available(projection)
    position = restored.write(3)
    with ThreadWorker(restored.deployed, projection):
        assert total(restored, projection, position) == 3
        assert restored.reader.health(projection).generation == 1


def test_queries_get_no_answer_until_it_is_built_anew(restored: Restored, projection: Projection[Tally]) -> None:
    restored.begin()
    restored.copy()
    restored.write(1, 1)
    with ThreadWorker(restored.deployed, projection):
        restored.reader.wait_until_available(projection)
    restored.put_back()
    restored.write(5, 5, 5)
    retire(restored.deployed, projection)
    with pytest.raises(ReadModelUnavailable):
        restored.reader.row(projection, TALLY)


def retire(deployed: Deployment, projection: Projection[Tally]) -> None:
    """Lets a follower come as far as to reject its generation, without anybody who would begin the next."""
    stop, rejected = threading.Event(), threading.Event()
    store = pointed_at(deployed, projection).store
    member = Member(deployed, projection, Generation(1, 1, store), 0, rejected.set, SkipWatch(deployed))
    follower = Follower(deployed, [member], stop, rejected.set)
    thread = threading.Thread(target=follower.run, daemon=True)
    thread.start()
    assert rejected.wait(WAIT)
    stop.set()
    thread.join(WAIT)


def pointed_at(deployed: Deployment, projection: Projection[Tally]) -> Generation:
    with connect(deployed.redis_uri) as connection:
        found = Generation.from_json(connection.get(ProjectionKeys(deployed.namespace, projection.name).live))
    assert found is not None
    return found


def generation_is(restored: Restored, projection: Projection[Tally], number: int) -> None:
    poll_until(
        lambda: restored.reader.health(projection).generation == number, seconds=WAIT, what="the next generation"
    )
