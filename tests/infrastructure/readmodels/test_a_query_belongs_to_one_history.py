"""Queries after an older copy of the store was put back and has grown again, while no worker runs."""

from contextlib import suppress
from uuid import uuid4

import pytest

from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.errors import ForeignPosition, ReadModelBehind, ReadModelError, ReadModelUnavailable
from infrastructure.readmodels.position_token import PositionToken, beginning_of
from infrastructure.readmodels.queries import ReadModels
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import WAIT
from tests.infrastructure.readmodels.restored import TALLY, Restored
from tests.infrastructure.readmodels.tallies import Opened, Raised, Tally, new_category, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.support.polling import poll_until_async
from tests.support.positions import at


@pytest.fixture
def projection(category: str) -> Projection[Tally]:
    return tallies(category)


def token_at(restored: Restored, position: int) -> PositionToken:
    """The whole token of the record that lies there now."""
    with open_reader(restored.store.uri) as reader:
        record = next(iter(reader.records(".*", first=position, limit=1)))
    assert record.position == position
    return PositionToken(position, beginning_of(record.id))


def folded(restored: Restored, projection: Projection[Tally], position: int) -> None:
    """Lets a worker come that far, and end."""
    with ThreadWorker(restored.deployed, projection):
        restored.reader.wait_until_available(projection)
        restored.reader.row(projection, TALLY, at_least=position)


async def until_refused(
    models: ReadModels, projection: Projection[Tally], token: PositionToken, by: type[ReadModelError]
) -> None:
    """Asks until then: the log is looked at again once the last look is a tenth of a second old."""

    async def is_refused() -> bool:
        with suppress(by):
            await models.get(projection, TALLY, at_least=token, wait=0.5)
            return False
        return True

    await poll_until_async(is_refused, seconds=5, what="a look at what took the log's place")


async def refusal(models: ReadModels, projection: Projection[Tally], token: PositionToken) -> type[Exception]:
    with pytest.raises((ForeignPosition, ReadModelBehind, ReadModelUnavailable)) as refused:
        await models.get(projection, TALLY, at_least=token, wait=0.5)
    return refused.type


def test_a_process_that_had_checked_both_refuses_the_old_token_and_the_old_rows(
    restored: Restored, projection: Projection[Tally]
) -> None:
    restored.begin()
    restored.copy()
    position = restored.write(1, 1)
    folded(restored, projection, position)

    async def before_and_after(models: ReadModels) -> None:
        old = token_at(restored, position)
        read = await models.get(projection, TALLY, at_least=old, wait=WAIT)
        assert (read.row and read.row.total, read.token.event) == (2, old.event)
        restored.put_back()
        assert restored.write(5, 5) == position
        new = token_at(restored, position)
        await until_refused(models, projection, old, ForeignPosition)
        assert await refusal(models, projection, new) is ReadModelUnavailable
        assert await refusal(models, projection, at(position)) is ReadModelUnavailable

    restored.reader.ask(before_and_after)


def test_a_process_that_never_saw_the_old_log_refuses_them_too(
    restored: Restored, projection: Projection[Tally]
) -> None:
    restored.begin()
    restored.copy()
    position = restored.write(1, 1)
    folded(restored, projection, position)
    old = token_at(restored, position)
    restored.put_back()
    assert restored.write(5, 5) == position
    new = token_at(restored, restored.write(5))
    assert restored.reader.ask(lambda models: refusal(models, projection, old)) is ForeignPosition
    assert restored.reader.ask(lambda models: refusal(models, projection, new)) is ReadModelUnavailable


def test_rows_whose_checkpoint_had_gone_on_alone_are_refused(restored: Restored, projection: Projection[Tally]) -> None:
    """Their newest event still stands, but one was written since before their checkpoint."""
    another = new_category()
    restored.begin()
    with Logbook(restored.store.uri, another) as log:
        log.write(TALLY, Opened(owner="ann"))
    restored.copy()
    with Logbook(restored.store.uri, another) as log:
        log.write(TALLY, Raised(by=1))
        position = log.elsewhere(1_200)
    folded(restored, projection, position)
    restored.put_back()
    new = token_at(restored, restored.write(7))
    with Logbook(restored.store.uri, projection.category) as log:
        log.elsewhere(2_000)
    assert restored.reader.ask(lambda models: refusal(models, projection, new)) is ReadModelUnavailable


def test_what_the_log_once_said_of_a_quiet_partition_is_forgotten(
    restored: Restored, projection: Projection[Tally]
) -> None:
    """Checkpoint and anchor still stand; what was said to hold no event after them is not there any more."""
    restored.begin()
    folded(restored, projection, restored.write(1))
    restored.copy()
    with Logbook(restored.store.uri, projection.category) as log:
        quiet = log.elsewhere(3)

    async def before_and_after(models: ReadModels) -> None:
        assert (await models.get(projection, TALLY, at_least=at(quiet), wait=WAIT)).position == quiet
        restored.put_back()
        new = token_at(restored, restored.write(5))
        assert new.position <= quiet
        await until_refused(models, projection, new, ReadModelBehind)

    restored.reader.ask(before_and_after)


def test_a_token_from_beyond_the_end_of_the_log_is_not_foreign_yet(
    restored: Restored, projection: Projection[Tally]
) -> None:
    restored.begin()
    position = restored.write(1)
    folded(restored, projection, position)
    beyond = PositionToken(position + 10**6, beginning_of(uuid4()))
    assert restored.reader.ask(lambda models: refusal(models, projection, beyond)) is ReadModelBehind
