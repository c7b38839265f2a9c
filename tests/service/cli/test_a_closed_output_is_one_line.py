"""Where the output is closed, every verb that has something to print ends with 1 and one line on the errors."""

import json
import shlex
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
import redis

from service.history.sources import CODEC
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.history.ledger import deposited, metadata, opened
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import ACCOUNT, CORRELATION, verbs
from tests.support.commands import Command, Surroundings
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened

# What each verb is run with; servers, which announce themselves and go on, and the slow demo show their help.
ARGUMENTS: Final = {
    "history": (ACCOUNT,),
    "as-of": (ACCOUNT, "--version", "0"),
    "changes": (ACCOUNT, "--json"),
    "trace": (str(CORRELATION),),
    "export": (ACCOUNT,),
    "replay": ("export.jsonl",),
    "schema list": (),
    "schema check": (),
    "snapshots list": (ACCOUNT,),
    "snapshots drop": (ACCOUNT, "--yes"),
    "snapshots retake": (ACCOUNT,),
    "projections pause": ("stock_levels", "--why", "so it is"),
    "projections resume": ("stock_levels", "--why", "so it is"),
}
CLOSED: Final = "the output can't be written: it is closed"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with EventStoreProcess(None) as process, operating(process.uri) as operator:
        own_id = ACCOUNT.removeprefix("account-")
        for event in (opened(own_id), deposited(own_id, "1.00")):
            operator.append(ACCOUNT, CODEC.encode(event, metadata(event, correlation=CORRELATION)))
        yield process.uri


def started(store: str, folder: Path, *arguments: str, closed: str = ">&-") -> Listened:
    command = f"cd {shlex.quote(str(folder))}; exec {shlex.join([*FOLDSTREAM, *arguments])} {closed}"
    return Listened(("sh", "-c", command), {"FOLDSTREAM_EVENTSTORE_URI": store, "PYTHONPATH": str(Path.cwd())})


def said(process: Listened) -> tuple[int, list[str]]:
    code = process.wait(within=60)
    return code, [line for line in process.errors if not line.startswith("{")]


def test_each_verb_says_so(store: str, tmp_path: Path) -> None:
    assert said(started(store, tmp_path, "export", ACCOUNT, "--out", "export.jsonl")) == (0, [])
    asked = {words: (*words.split(), *ARGUMENTS.get(words, ("--help",))) for words in verbs()}
    environment, there = {"FOLDSTREAM_EVENTSTORE_URI": store}, Surroundings(tmp_path, closed=True)
    running = {words: Command(arguments, environment, there) for words, arguments in asked.items()}
    ends = {words: command.wait(60) for words, command in running.items()}
    assert ends == {words: (1, [], [f"foldstream {words.split()[0]}: {CLOSED}"]) for words in asked}


@pytest.mark.parametrize("closed", [pytest.param(">&-", marks=pytest.mark.soak), ">/dev/full"])
def test_nothing_is_dropped_or_taken_where_nobody_could_be_told(store: str, tmp_path: Path, closed: str) -> None:
    def state_after(verb: str, output: str) -> tuple[int, str]:
        code, _ = said(started(store, tmp_path, "snapshots", verb, ACCOUNT, "--yes", closed=output))
        shown = started(store, tmp_path, "snapshots", "list", ACCOUNT, "--json", closed="")
        assert said(shown) == (0, [])
        return code, str(json.loads("".join(shown.output))["snapshots"][0]["state"])

    assert state_after("drop", "") == (0, "not-due")
    assert state_after("retake", closed) == (1, "not-due")
    assert state_after("retake", "") == (0, "usable")
    assert state_after("drop", closed) == (1, "usable")


def test_a_server_goes_on(store: str, tmp_path: Path) -> None:
    place = tmp_path / "redis.sock"
    process = started(store, tmp_path, "redis", "--data", "redis", "--socket", str(place), closed=">&- <&-")
    try:
        poll_until(lambda: answers(place), seconds=60, what="an answer of Redis")
        process.send(signal.SIGTERM)
        assert said(process) == (0, [])
    finally:
        process.kill()


def answers(place: Path) -> bool:
    with redis.Redis(unix_socket_path=str(place)) as client, suppress(redis.RedisError):
        return bool(client.ping())
    return False


@pytest.mark.parametrize("closed", ["<&-", "<&- 2>&-"])
def test_nobody_is_asked_through_a_closed_input(store: str, tmp_path: Path, closed: str) -> None:
    process = started(store, tmp_path, "snapshots", "drop", f"account-{uuid4()}", closed=closed)
    line = "foldstream snapshots: Invalid value: there is nobody to ask; --yes does it without asking"
    assert said(process) == (2, [] if "2>" in closed else [line])
