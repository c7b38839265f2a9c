"""Which commits are announced on the channel of their namespace, on a running Redis."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
import structlog
from redis.exceptions import NoPermissionError

from infrastructure.eventstore.frames import CaughtUp
from infrastructure.readmodels.commit_announcements import CommitAnnouncements, channel_of, parse_announcement
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.errors import CheckpointMoved
from infrastructure.readmodels.keys import PartitionKeys
from tests.infrastructure.readmodels.partitions import MORE, OPENED_AND_RAISED, Worker, partition_of
from tests.support.redis import RedisProcess


class Channel:
    """All that is announced of one namespace, from now on."""

    def __init__(self, connection: redis.Redis, namespace: str) -> None:
        self._connection = connection
        self._name = channel_of(namespace)
        self._heard: Any = connection.pubsub()  # type: ignore[no-untyped-call]  # redis leaves it untyped
        self._heard.subscribe(self._name)
        assert self._heard.get_message(timeout=5) is not None

    def said(self) -> list[object]:
        """What was announced since this was asked last."""
        self._connection.publish(self._name, "the end")
        messages = iter(lambda: self._heard.get_message(timeout=5)["data"], b"the end")
        return [parse_announcement(message) for message in messages]


@pytest.fixture
def channel(connection: redis.Redis, keys: PartitionKeys) -> Channel:
    return Channel(connection, keys.namespace)


def test_commits_of_a_live_partition_are_announced_with_their_position(channel: Channel, worker: Worker) -> None:
    partition = worker()
    partition.announces = True
    partition.advance(OPENED_AND_RAISED, live=True)
    partition.advance(MORE, live=True)
    partition.settle()
    assert channel.said() == [(("tallies", 1, 0), 20), (("tallies", 1, 0), 40)]


def test_of_a_replay_only_the_commit_that_ends_it_is_announced(channel: Channel, worker: Worker) -> None:
    partition = worker()
    partition.announces = True
    partition.apply(OPENED_AND_RAISED)
    assert channel.said() == []
    partition.apply([*MORE, CaughtUp()])
    assert channel.said() == [(("tallies", 1, 0), 40)]


def test_what_a_rival_has_overtaken_is_not_announced(channel: Channel, worker: Worker) -> None:
    slow, rival = worker(), worker()
    slow.announces = True
    rival.apply(OPENED_AND_RAISED)
    slow.advance(OPENED_AND_RAISED, live=True)
    with pytest.raises(CheckpointMoved):
        slow.settle()
    assert channel.said() == []


def test_replies_of_a_commit_that_is_announced_keep_their_places(
    connection: redis.Redis, keys: PartitionKeys, worker: Worker
) -> None:
    """By its reply, a row of which Redis has lost the rest is known, and stored whole."""
    partition = worker()
    partition.announces = True
    partition.apply(OPENED_AND_RAISED)
    connection.delete(keys.row("a"))
    partition.advance(MORE, live=True)
    partition.settle()
    assert connection.hget(keys.row("a"), "owner") == b'"ann"'
    assert (partition.position, partition.checkpoint.repairs) == (40, 1)


@pytest.mark.parametrize("message", [b"", b"the end", b"2 tallies 1 0 20", b"1 tallies 1 0", b"1 tallies 1 0 x"])
def test_a_message_of_another_form_says_nothing(message: bytes) -> None:
    assert parse_announcement(message) is None


@pytest.fixture
def quiet() -> Iterator[redis.Redis]:
    """The connection of a user who has no right to any channel, as users have none by default."""
    process = RedisProcess().start()
    with connect(process.uri) as operator:
        operator.execute_command("ACL", "SETUSER", "quiet", "on", ">pw", "~*", "+@all", "resetchannels")
    with connect(f"{process.uri}?username=quiet&password=pw") as connection:
        yield connection
    process.close()


def test_a_user_without_the_right_commits_all_the_same_and_is_told_of_once(
    quiet: redis.Redis, keys: PartitionKeys
) -> None:
    announcements, partition = CommitAnnouncements(), partition_of(quiet, keys)
    partition.load()
    with structlog.testing.capture_logs() as lines:
        partition.announces = announcements.begin(quiet, keys, None)
        assert announcements.begin(quiet, keys, None) is False
    partition.advance(OPENED_AND_RAISED, live=True)
    partition.settle()
    assert quiet.hget(keys.row("a"), "total") == b"3"
    assert [(line["event"], line["channel"]) for line in lines] == [
        ("commits_not_announced", channel_of(keys.namespace))
    ]


def test_a_right_that_is_taken_away_costs_one_attempt(quiet: redis.Redis, keys: PartitionKeys) -> None:
    """The whole transaction is refused; the worker, which begins again after any failure, is told then."""
    partition = partition_of(quiet, keys)
    partition.load()
    partition.announces = True
    partition.advance(OPENED_AND_RAISED, live=True)
    with pytest.raises(NoPermissionError):
        partition.settle()
    assert partition.load() is None
    partition.announces = CommitAnnouncements().begin(quiet, keys, None)
    partition.advance(OPENED_AND_RAISED, live=True)
    partition.settle()
    assert quiet.hget(keys.row("a"), "total") == b"3"
