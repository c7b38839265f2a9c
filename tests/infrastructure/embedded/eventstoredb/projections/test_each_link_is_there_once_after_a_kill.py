"""Whatever happens while links are written: each is there once, in order."""

import resource
from pathlib import Path
from random import Random
from threading import Thread

import pytest
from esdbclient import EventStoreDBClient

from tests.infrastructure.embedded.eventstoredb.projections.linked import (
    append,
    enable,
    event,
    everything,
    links,
    settle,
)
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until

EVENTS = 400


def fill(client: EventStoreDBClient, round_number: int, random: Random) -> None:
    """Some streams of three categories, a few new ones in each round."""
    for number in range(EVENTS // 20):
        stream = f"{random.choice('abc')}-{round_number}-{number % 5}"
        append(client, stream, *[event(random.choice("TUV"), correlation=random.choice("xyz")) for _ in range(20)])


def kill_while_links_are_written(process: EventStoreProcess, round_number: int, random: Random) -> None:
    with EventStoreDBClient(process.uri) as client:
        before = len(links(client, "$et-T"))
        writer = Thread(target=fill, args=(client, round_number, random), daemon=True)
        writer.start()
        if random.random() < 0.5:
            writer.join(20)
        enough = before + random.randrange(1, 40)
        poll_until(lambda: len(links(client, "$et-T")) >= enough, seconds=20, what="some links")
        process.kill()
        writer.join(20)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("rounds", [4, pytest.param(60, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_a_kill_while_links_are_written_doubles_none_and_loses_none(folder: Path, rounds: int) -> None:
    random = Random(rounds)
    with EventStoreProcess(folder) as process:
        with EventStoreDBClient(process.uri) as client:
            enable(client)
        for number in range(rounds):
            kill_while_links_are_written(process, number, random)
            process.start()
        with EventStoreDBClient(process.uri) as client:
            settle(client)
            found, wanted = everything(client)
            assert found == wanted


def test_a_stop_and_a_start_leave_no_gap(folder: Path) -> None:
    with EventStoreProcess(folder) as process:
        with EventStoreDBClient(process.uri) as client:
            enable(client)
            fill(client, 0, Random(1))
        assert process.stop() == 0
        process.start()
        with EventStoreDBClient(process.uri) as client:
            settle(client)
            found, wanted = everything(client)
            assert found == wanted


def test_a_full_disk_only_holds_links_up(folder: Path) -> None:
    with EventStoreProcess(folder) as process, EventStoreDBClient(process.uri) as client:
        fill(client, 0, Random(1))
        size = max(path.stat().st_size for path in folder.iterdir())
        resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (size + 100_000, resource.RLIM_INFINITY))
        client.enable_projection("$by_event_type")
        poll_until(lambda: "links_not_written" in process.errors, seconds=20, what="a word of failure")
        resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        enable(client)
        settle(client)
        found, wanted = everything(client)
        assert found == wanted
