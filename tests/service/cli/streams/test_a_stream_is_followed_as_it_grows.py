"""`foldstream read --follow` shows what is there and what is appended, each event once, until somebody ends it."""

import json
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from infrastructure.eventstore.record import NewRecord
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.service.cli.streams.command import said
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import EVIL
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened


def event(number: int) -> NewRecord:
    return NewRecord("Booked", b'{"number":%d}' % number, b"{}")


@pytest.fixture
def stream(operator: Operator) -> str:
    """It holds two events, and others of names like it some more."""
    name = f"ledger-{uuid4()}"
    operator.append(name, event(0), event(1))
    operator.append(f"{name}\n", event(100))
    operator.append(f"{name}-a", event(101))
    return name


@contextmanager
def following(uri: str, *arguments: str, **environment: str) -> Iterator[Listened]:
    process = Listened((*FOLDSTREAM, "read", *arguments), {"FOLDSTREAM_EVENTSTORE_URI": uri, **environment})
    try:
        yield process
    finally:
        process.kill()


def numbers(process: Listened) -> list[int]:
    return [json.loads(line)["data"]["number"] for line in process.output]


def await_numbers(process: Listened, *expected: int) -> None:
    poll_until(lambda: len(process.output) >= len(expected), seconds=30, what=f"the events {expected}")
    assert numbers(process) == list(expected)


def complaints(process: Listened) -> list[str]:
    return [line for line in process.errors if not line.startswith("{")]


def await_complaints(process: Listened, expected: int) -> None:
    poll_until(lambda: len(complaints(process)) >= expected, seconds=30, what=f"{expected} lines on the errors")


def test_what_is_appended_follows_what_is_there_until_ctrl_c(uri: str, operator: Operator, stream: str) -> None:
    with following(uri, stream, "--follow", "--json") as process:
        await_numbers(process, 0, 1)
        operator.append(f"{stream}-a", event(102))
        operator.append(stream, event(2))
        await_numbers(process, 0, 1, 2)
        operator.append(stream, event(3), event(4))
        await_numbers(process, 0, 1, 2, 3, 4)
        process.send(signal.SIGINT)
        assert (process.wait(within=60), numbers(process), complaints(process)) == (130, [0, 1, 2, 3, 4], [])


def test_it_ends_after_as_many_as_are_wanted(uri: str, operator: Operator, stream: str) -> None:
    assert said(uri, "read", stream, "--follow", "--limit", "2", "--from", "0").output[0].startswith(f"0@{stream}")
    with following(uri, stream, "--follow", "--json", "--from", "1", "--limit", "3") as process:
        await_numbers(process, 1)
        operator.append(stream, *map(event, range(2, 9)))
        assert (process.wait(within=60), numbers(process), complaints(process)) == (0, [1, 2, 3], [])


def test_from_a_version_that_is_to_come_it_begins_there(uri: str, operator: Operator, stream: str) -> None:
    with following(uri, stream, "--follow", "--json", "--from", "3", "--limit", "2") as process:
        operator.append(stream, *map(event, range(2, 9)))
        assert (process.wait(within=60), numbers(process)) == (0, [3, 4])


def test_the_whole_log_is_followed_from_a_position(uri: str, operator: Operator, stream: str) -> None:
    position = operator.append(stream, event(2))
    place = ("--from", str(position), "--limit", "4")
    with following(uri, "$all", "--follow", "--json", *place) as process:
        poll_until(lambda: len(process.output) >= 2, seconds=30, what="the event and the entry of this call")
        operator.append(stream, event(3), event(4))
        assert process.wait(within=60) == 0
        lines = [json.loads(line) for line in process.output]
    assert [line["stream"] for line in lines if not line["stream"].startswith("access-")] == [stream] * 3
    assert lines[0]["position"] == position
    refused = said(uri, "read", "$all", "--follow", "--from", "3")
    assert refused.refusal == "no record lies at position 3; `position` of a record that was read is one"


def test_a_deleted_stream_goes_on_where_it_begins_again(uri: str, operator: Operator, stream: str) -> None:
    with following(uri, stream, "--follow", "--json") as process:
        await_numbers(process, 0, 1)
        operator.delete(stream)
        operator.append(stream, event(2))
        await_numbers(process, 0, 1, 2)
        operator.tombstone(stream)
        assert process.wait(within=60) == 1
        assert complaints(process) == [f"foldstream read: {stream} was deleted for good"]


def restart(store: EventStoreProcess, *following: Listened) -> None:
    """While it is away, all of them say so; the first that happens then is one more event."""
    said = [len(complaints(process)) for process in following]
    store.kill()
    for process, before in zip(following, said, strict=True):
        await_complaints(process, before + 1)
    store.start()
    with operating(store.uri) as writer:
        writer.append("ledger-1", event(len(numbers(following[0]))))


def test_it_goes_on_over_a_restart_of_the_store(tmp_path: Path) -> None:
    with EventStoreProcess(tmp_path / "log") as store, operating(store.uri) as operator:
        operator.append("ledger-1", event(0))
        with (
            following(store.uri, "ledger-1", "--follow", "--json") as process,
            following(store.uri, "$all", "--follow", "--json") as whole,
        ):
            await_numbers(process, 0)
            poll_until(lambda: len(whole.output) >= 4, seconds=30, what="the log up to the entries of these calls")
            for number in (1, 2):
                restart(store, process, whole)
                await_numbers(process, *range(number + 1))
                await_complaints(process, 2 * number)
                await_complaints(whole, 2 * number)
            there = "foldstream read: the event store is there again"
            assert [line == there for line in complaints(process)] == [False, True] * 2
            positions = [json.loads(line)["position"] for line in whole.output]
            assert positions == sorted(set(positions))
            assert sum(json.loads(line)["stream"] == "ledger-1" for line in whole.output) == 3


def test_another_log_is_not_followed_as_if_it_went_on() -> None:
    """A store in memory has nothing left when it is started again."""
    with EventStoreProcess(None) as store, operating(store.uri) as operator:
        operator.append("ledger-1", event(0))
        with following(store.uri, "ledger-1", "--follow", "--json") as process:
            await_numbers(process, 0)
            store.kill()
            store.start()
            assert process.wait(within=60) == 1
            assert complaints(process)[-1].startswith("foldstream read: the event store has another log than before")


def test_it_ends_where_nobody_reads_it_any_more(uri: str, stream: str) -> None:
    words = shlex.join([*FOLDSTREAM, "read", stream, "--follow"])
    environment = {"FOLDSTREAM_EVENTSTORE_URI": uri, "PYTHONPATH": str(Path.cwd())}
    piped = Listened(("sh", "-c", f"{words} | head -n 1"), environment)
    assert (piped.wait(within=60), len(piped.output), complaints(piped)) == (0, 1, [])
    closed = Listened(("sh", "-c", f"exec {words} >&-"), environment)
    assert closed.wait(within=60) == 1
    assert complaints(closed) == ["foldstream read: the output can't be written: it is closed"]


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_nothing_of_the_log_reaches_a_terminal_raw(uri: str, operator: Operator, form: tuple[str, ...]) -> None:
    operator.append(name := f"ledger-{EVIL}-{uuid4()}", NewRecord(EVIL, json.dumps(EVIL).encode(), b'"\x1b"'))
    code, output, _ = said(uri, "read", name, "--follow", "--limit", "1", *form)
    assert (code, len(output), all(line.isprintable() for line in output)) == (0, 1 if form else 3, True)


def test_what_makes_no_sense_is_refused(uri: str, stream: str) -> None:
    backwards = said(uri, "read", stream, "--follow", "--backwards")
    assert (backwards.code, backwards.refusal) == (None, "--follow goes on at the end, so it can't be read --backwards")
    assert said(uri, "read", "ledger-none", "--follow").refusal == "there is no stream ledger-none"
