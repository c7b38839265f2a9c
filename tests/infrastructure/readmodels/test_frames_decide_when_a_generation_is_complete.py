"""A follower fed by plain generators: servers differ in when, how often and whether they say that it has caught up."""

import threading
from collections.abc import Iterator

import pytest
import redis

from infrastructure.eventstore.frames import CaughtUp, CheckpointReached
from infrastructure.readmodels.follower import Follower
from infrastructure.readmodels.generations import Generation, Generations
from infrastructure.subscriptions.frames import Batch
from tests.infrastructure.readmodels.checkpoints import stored_checkpoint
from tests.infrastructure.readmodels.tallies import Opened, Raised, Tally, history, tallies
from tests.infrastructure.readmodels.workers import deployment

STORE = "store-1"
FIRST = Generation(1, 1, STORE)
EVENTS = history(("a", Opened(owner="ann")), ("a", Raised(by=3)))


@pytest.fixture
def generations(connection: redis.Redis, namespace: str) -> Generations:
    begun = Generations(connection, namespace, "tallies")
    assert begun.wanted(1, STORE) == (FIRST,)
    return begun


@pytest.fixture
def follower(redis_uri: str, namespace: str, generations: Generations) -> Follower[Tally]:
    deployed = deployment("esdb://127.0.0.1:1?tls=false", redis_uri, namespace)
    return Follower(deployed, tallies("tally"), FIRST, 0, threading.Event(), lambda: None)


def checkpoint(connection: redis.Redis, generations: Generations) -> object:
    return connection.get(generations.keys(FIRST, 0).checkpoint)


def batches(*each: Batch) -> Iterator[Batch]:
    yield from each


def test_once_at_the_end_of_history(
    connection: redis.Redis, generations: Generations, follower: Follower[Tally]
) -> None:
    follower.consume(batches(EVENTS, [CaughtUp()]), end=99)
    assert generations.is_live(FIRST)
    assert checkpoint(connection, generations) == stored_checkpoint(STORE, 20, EVENTS[-1], rows=1)


def test_at_once_where_nothing_has_happened(
    connection: redis.Redis, generations: Generations, follower: Follower[Tally]
) -> None:
    follower.consume(batches([CheckpointReached(2**64 - 1), CaughtUp()]), end=99)
    assert generations.is_live(FIRST)
    assert checkpoint(connection, generations) == stored_checkpoint(STORE, None)


def test_again_and_again_under_bursts(
    connection: redis.Redis, generations: Generations, follower: Follower[Tally]
) -> None:
    follower.consume(batches([CaughtUp()], EVENTS[:1], [CaughtUp(), EVENTS[1], CaughtUp()], []), end=99)
    assert generations.is_live(FIRST)
    assert checkpoint(connection, generations) == stored_checkpoint(STORE, 20, EVENTS[-1], rows=1)


def test_never_but_the_end_that_the_log_had_is_reached(generations: Generations, follower: Follower[Tally]) -> None:
    follower.consume(batches(EVENTS[:1]), end=20)
    assert not generations.is_live(FIRST)
    follower.consume(batches(EVENTS[1:]), end=20)
    assert generations.is_live(FIRST)


def test_never_and_a_checkpoint_comes_beyond_the_end(generations: Generations, follower: Follower[Tally]) -> None:
    follower.consume(batches(EVENTS, [CheckpointReached(150)]), end=99)
    assert generations.is_live(FIRST)


def test_not_yet_while_history_goes_on(generations: Generations, follower: Follower[Tally]) -> None:
    follower.consume(batches(EVENTS, [CheckpointReached(50)], []), end=99)
    assert not generations.is_live(FIRST)
