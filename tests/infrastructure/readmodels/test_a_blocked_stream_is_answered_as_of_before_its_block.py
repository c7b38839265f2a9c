"""Queries of a stream that is blocked: its last good row, no wait for what can't come, and nothing said of others."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import redis

from infrastructure.readmodels.answers import RowAtPosition
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelBehind, ReadModelUnavailable
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from infrastructure.readmodels.position_token import PositionToken
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.questions import OwnIndex
from projections.projection import Projection
from tests.infrastructure.readmodels.blocking import block_stream
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import WAIT, Reader
from tests.infrastructure.readmodels.tallies import Opened, Raised, Tally, new_category, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment
from tests.support.positions import at

PROMPT = 10.0  # seconds, of the twenty that they would wait


@dataclass(frozen=True)
class Desk:
    """Three tallies: one is blocked after its first event, one at it, and one is as it should be."""

    reader: Reader
    projection: Projection[Tally]
    keys: PartitionKeys
    good: str
    blocked: str
    unknown: str
    opened: int
    block: Block
    first: Block
    end: int

    def get(self, tally: str, at_least: int | None = None) -> RowAtPosition[Tally]:
        token = None if at_least is None else at(at_least)
        return self.reader.ask(lambda models: models.get(self.projection, tally, at_least=token, wait=WAIT))

    def comes_to(self, tally: str, position: int) -> bool:
        stream = f"{self.projection.category}-{tally}"
        return self.reader.ask(lambda models: models.comes_to(self.projection, at(position), WAIT, stream))

    def refusal(self, tally: str, at_least: int | None = None) -> ReadModelBehind:
        begun = time.monotonic()
        with pytest.raises(ReadModelBehind) as refused:
            self.get(tally, at_least)
        assert time.monotonic() - begun < PROMPT
        return refused.value


@pytest.fixture(scope="module")
def desk(eventstore_uri: str, redis_uri: str) -> Iterator[Desk]:
    category = new_category()
    deployed: Deployment = deployment(eventstore_uri, redis_uri, f"test-{category}")
    projection, reader = tallies(category), Reader(deployed)
    good, blocked, unknown = new_tallies(3)
    keys = ProjectionKeys(deployed.namespace, projection.name).partition(1, 0)
    with Logbook(eventstore_uri, category) as log, redis.Redis.from_url(redis_uri) as connection:
        log.open([good])
        opened = log.open([blocked])
        with ThreadWorker(deployed, projection):
            reader.wait_until_available(projection)
            reader.row(projection, blocked, at_least=opened)
        log.write(blocked, Raised(by=1), Raised(by=2), Raised(by=3))
        log.write(unknown, Opened(owner="ann"), Raised(by=5))
        block = block_stream(deployed, connection, keys, category, blocked, 1)
        first = block_stream(deployed, connection, keys, category, unknown, 0)
        [end] = [reader.health(projection).position]
        yield Desk(reader, projection, keys, good, blocked, unknown, opened, block, first, end)


def test_its_last_good_row_is_answered_with_the_position_before_the_block(desk: Desk) -> None:
    row = Tally(owner="ann", total=0, opened=desk.opened, version=0)
    for at_least in (None, desk.opened, desk.block.position - 1):
        read = desk.get(desk.blocked, at_least)
        assert (read.row, read.position) == (row, desk.block.position - 1)
    assert desk.get(desk.good, desk.end).position == desk.end


def test_a_position_at_its_block_or_beyond_is_refused_at_once_with_the_place(desk: Desk) -> None:
    stream = f"{desk.projection.category}-{desk.blocked}"
    for at_least in (desk.block.position, desk.end, desk.end + 1_000_000):
        refusal = desk.refusal(desk.blocked, at_least)
        assert (refusal.stream, refusal.version, refusal.at_least) == (stream, 1, at(at_least))
        assert refusal.position == PositionToken(desk.block.position - 1, None, refusal.position.store)


def test_one_that_is_blocked_from_its_beginning_is_not_unknown(desk: Desk) -> None:
    for at_least in (None, desk.first.position - 1, desk.end):
        refusal = desk.refusal(desk.unknown, at_least)
        assert (refusal.stream, refusal.version) == (f"{desk.projection.category}-{desk.unknown}", 0)
        assert refusal.at_least == (None if at_least is None else at(at_least))
        assert refusal.position.position == desk.first.position - 1
    assert desk.get(new_tallies(1)[0]).row is None


def test_lists_leave_out_what_waits_and_a_list_of_one_stream_is_answered_as_its_row(desk: Desk) -> None:
    async def pages(models: ReadModels) -> list[tuple[int, int]]:
        token = at(desk.end)
        whole = await models.page(desk.projection, "owner:ann", limit=9, at_least=token, wait=WAIT)
        own = await models.page(desk.projection, OwnIndex("owner:ann", desk.blocked), limit=9)
        with pytest.raises(ReadModelBehind) as refused:
            await models.page(desk.projection, OwnIndex("owner:ann", desk.blocked), limit=9, at_least=token, wait=WAIT)
        assert refused.value.version == 1
        return [(len(page.entries), page.position) for page in (whole, own)]

    assert desk.reader.ask(pages) == [(2, desk.end), (2, desk.block.position - 1)]


def test_synchronous_mode_does_not_say_that_it_was_folded(desk: Desk) -> None:
    assert desk.comes_to(desk.good, desk.end)
    assert desk.comes_to(desk.blocked, desk.opened)
    begun = time.monotonic()
    assert not desk.comes_to(desk.blocked, desk.block.position)
    assert not desk.comes_to(desk.unknown, desk.end)
    assert time.monotonic() - begun < PROMPT
    elsewhere = f"other-{desk.blocked}"
    assert desk.reader.ask(lambda models: models.comes_to(desk.projection, at(desk.end), WAIT, elsewhere))


def test_what_is_no_block_is_not_taken_for_none(desk: Desk, connection: redis.Redis) -> None:
    for stored, reason in (("{", "is no block"), ('{"format":99}', "format 99 was stored by a later release")):
        connection.hset(desk.keys.blocked, desk.blocked, stored)
        with pytest.raises(ReadModelUnavailable, match=reason):
            desk.get(desk.blocked)
        assert desk.get(desk.good).row is not None
    connection.hset(desk.keys.blocked, desk.blocked, desk.block.to_json())


def test_where_blocks_are_lost_nothing_is_answered(desk: Desk, connection: redis.Redis) -> None:
    connection.hdel(desk.keys.blocked, desk.blocked)
    for tally in (desk.blocked, desk.good):
        with pytest.raises(ReadModelUnavailable, match="2 streams were blocked, 1 are stored"):
            desk.get(tally)
    connection.hset(desk.keys.blocked, desk.blocked, desk.block.to_json())
