"""How the server ends, and what its clients see of that."""

import signal
from pathlib import Path

import pytest
from esdbclient import EventStoreDBClient
from esdbclient.exceptions import ServiceUnavailable

from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until


def test_open_subscriptions_end_with_unavailable() -> None:
    with EventStoreProcess(None) as process, EventStoreDBClient(process.uri) as client:
        subscription = client.subscribe_to_all(include_caught_up=True, from_end=True)
        assert next(subscription).is_caught_up
        assert process.stop() == 0
        with pytest.raises(ServiceUnavailable, match="Server Is Shutting Down"):
            next(subscription)


def test_a_reader_who_reads_nothing_does_not_hold_a_stop_up() -> None:
    with EventStoreProcess(None) as process, EventStoreDBClient(process.uri) as client:
        subscriptions = [client.subscribe_to_all() for _ in range(20)]
        assert process.stop() == 0
        assert len(subscriptions) == 20


def test_it_ends_when_the_one_who_started_it_is_gone() -> None:
    with EventStoreProcess(None) as process:
        assert process.abandon() == 0


def test_ctrl_c_is_left_to_the_one_who_started_it() -> None:
    with EventStoreProcess(None) as process:
        process.process.send(signal.SIGINT)
        with EventStoreDBClient(process.uri) as client:
            assert client.get_commit_position() == 0
        assert process.is_running()


def test_a_client_goes_on_by_itself_after_a_restart(folder: Path) -> None:
    with EventStoreProcess(folder) as process, EventStoreDBClient(process.uri) as client:
        assert client.get_commit_position() == 0
        process.kill()
        process.start()
        assert poll_until(lambda: client.get_commit_position(filter_exclude=()) > 0, seconds=10, what="an answer")
