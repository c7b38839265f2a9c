"""A member fed with plain batches: servers differ in when, how often and whether they say that it has caught up."""

from collections.abc import Sequence

import pytest
import redis

from infrastructure.eventstore.frames import CaughtUp, CheckpointReached
from infrastructure.readmodels.generations import Generations
from infrastructure.readmodels.member import Member
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.subscriptions.frames import SharedFrame
from tests.infrastructure.readmodels.checkpoints import stored_checkpoint
from tests.infrastructure.readmodels.tallies import Opened, Raised, Tally, history, tallies
from tests.infrastructure.readmodels.workers import deployment

STORE = "store-1"
FIRST = Generation(1, 1, STORE)
EVENTS = history(("a", Opened(owner="ann")), ("a", Raised(by=3)))


@pytest.fixture
def generations(connection: redis.Redis, namespace: str) -> Generations:
    begun = Generations(connection, namespace, "tallies")
    assert begun.decided(1, STORE).followed == (FIRST,)
    return begun


@pytest.fixture
def member(eventstore_uri: str, redis_uri: str, namespace: str, generations: Generations) -> Member[Tally]:
    deployed = deployment(eventstore_uri, redis_uri, namespace)
    return Member(deployed, tallies("tally"), FIRST, 0, lambda: None, SkipWatch(deployed))


def checkpoint(connection: redis.Redis, generations: Generations) -> object:
    return connection.get(generations.keys(FIRST, 0).checkpoint)


def take(member: Member[Tally], *batches: Sequence[SharedFrame], end: int) -> None:
    for batch in batches:
        member.take(batch, end, lambda: None)


def test_once_at_the_end_of_history(connection: redis.Redis, generations: Generations, member: Member[Tally]) -> None:
    take(member, EVENTS, [CaughtUp()], end=99)
    assert generations.is_live(FIRST)
    assert checkpoint(connection, generations) == stored_checkpoint(STORE, 20, EVENTS[-1], rows=1, partitions=1)


def test_at_once_where_nothing_has_happened(
    connection: redis.Redis, generations: Generations, member: Member[Tally]
) -> None:
    take(member, [CheckpointReached(2**64 - 1), CaughtUp()], end=99)
    assert generations.is_live(FIRST)
    assert checkpoint(connection, generations) == stored_checkpoint(STORE, None, partitions=1)


def test_again_and_again_under_bursts(connection: redis.Redis, generations: Generations, member: Member[Tally]) -> None:
    take(member, [CaughtUp()], EVENTS[:1], [CaughtUp(), EVENTS[1], CaughtUp()], [], end=99)
    assert generations.is_live(FIRST)
    assert checkpoint(connection, generations) == stored_checkpoint(STORE, 20, EVENTS[-1], rows=1, partitions=1)


def test_never_but_the_end_that_the_log_had_is_reached(generations: Generations, member: Member[Tally]) -> None:
    take(member, EVENTS[:1], end=20)
    assert not generations.is_live(FIRST)
    take(member, EVENTS[1:], end=20)
    assert generations.is_live(FIRST)


def test_never_and_a_checkpoint_comes_beyond_the_end(generations: Generations, member: Member[Tally]) -> None:
    take(member, EVENTS, [CheckpointReached(150)], end=99)
    assert generations.is_live(FIRST)


def test_not_yet_while_history_goes_on(generations: Generations, member: Member[Tally]) -> None:
    take(member, EVENTS, [CheckpointReached(50)], [], end=99)
    assert not generations.is_live(FIRST)
