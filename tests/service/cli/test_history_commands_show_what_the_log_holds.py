"""`foldstream history`, `as-of`, `changes`, `trace`, `export` and `replay`, as people and programs run them."""

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from domain.stock.stock import SkuRegistered, stock_id
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.history.errors import CORRELATION_IDS
from infrastructure.history.moment import written
from infrastructure.snapshots.state import dump_state
from infrastructure.times import time_text
from service.history.sources import BOUNDARIES, CODEC
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.history.ledger import balance, metadata, told
from tests.support.commands import Command, ran

Account = tuple[str, list[Record]]


@pytest.fixture(scope="module")
def account(eventstore_uri: str) -> Iterator[Account]:
    """An account that was opened and paid into twice."""
    with operating(eventstore_uri) as store:
        yield told(store, "100.00", "20.00")


def run(*arguments: str, store: str = "", code: int = 0) -> tuple[list[str], list[str]]:
    """The output and the errors of a command that ends with this code."""
    ended = ran(*arguments, **_at(store))
    assert ended.code == code, ended.errors
    return ended.output, ended.errors


def _at(store: str) -> dict[str, str]:
    return {"FOLDSTREAM_EVENTSTORE_URI": store} if store else {}


def answer(*arguments: str, store: str = "") -> Any:
    return json.loads("\n".join(run(*arguments, "--json", store=store)[0]))


def test_history_goes_on_where_it_stopped(eventstore_uri: str, account: Account) -> None:
    stream, records = account
    first = answer("history", stream, "--limit", "2", store=eventstore_uri)
    rest = answer("history", stream, "--from-version", str(first["next"]), store=eventstore_uri)
    assert rest["next"] is None
    assert [(event["version"], event["id"]) for event in [*first["events"], *rest["events"]]] == [
        (record.version, str(record.id)) for record in records
    ]
    assert rest["events"][0]["data"]["amount"] == {"amount": "20.00", "currency": "EUR"}
    assert rest["events"][0]["actor"] == "harbour"
    output, _ = run("history", stream, "--limit", "2", store=eventstore_uri)
    assert output[0] == stream
    assert output[1].split() == ["version", "at", "event", "by", "because", "of", "says"]
    assert output[-1] == "There are more: --from-version 2"
    assert len(output) == 5


def test_the_balance_as_of_a_time_is_shown(eventstore_uri: str, account: Account) -> None:
    stream, records = account
    since, until = (time_text(written(record)) for record in records[1:])
    expected = {"stream": stream, "version": 1, "first_version": 0, "state": balance("100.00")}
    expected |= {"since": since, "until": until}
    assert answer("as-of", stream, "--at", since, store=eventstore_uri) == expected
    assert answer("as-of", stream, "--version", "1", store=eventstore_uri) == expected
    output, _ = run("as-of", stream, "--at", since, store=eventstore_uri)
    assert output[0] == f"{stream} at version 1, since {since}, until {until}"
    assert [line.split() for line in output[1:5]] == [
        ["field", "value"],
        ["is", "Account"],
        ["owner_id", "harbour"],
        ["balance.amount", "100.00"],
    ]


def test_all_changes_between_two_times_are_shown(eventstore_uri: str, account: Account) -> None:
    stream, records = account
    window = ("--from", time_text(written(records[1])), "--to", time_text(written(records[2])))
    (change,) = answer("changes", stream, *window, store=eventstore_uri)["changes"]
    assert (change["version"], change["actor"], change["caused_by"]) == (1, "harbour", None)
    assert change["fields"] == [{"field": "balance.amount", "before": "0.00", "after": "100.00"}]
    assert (change["before"], change["after"]) == (balance("0.00"), balance("100.00"))
    output, _ = run("changes", stream, *window, store=eventstore_uri)
    assert (output[0], output[-1]) == (stream, "1 changes")
    assert output[2].split()[-3:] == ["balance.amount", "0.00", "100.00"]


def test_a_correlation_id_is_shown_as_a_tree(eventstore_uri: str, account: Account) -> None:
    stream, records = account
    correlation = json.loads(records[1].metadata)["$correlationId"]
    (command,) = answer("trace", correlation, store=eventstore_uri)["commands"]
    assert (command["actor"], command["stream"]) == ("harbour", stream)
    assert (command["depth"], command["caused_by"]) == (0, None)
    assert [event["id"] for event in command["events"]] == [str(records[1].id)]
    output, _ = run("trace", correlation, store=eventstore_uri)
    assert len(output) == 3
    assert output[0].startswith(f"{correlation}: 1 events, by ")
    assert output[1] == f"└── harbour → {stream}  command {command['command_id']}"


def test_a_stream_stands_for_the_correlation_id_of_its_newest_event(eventstore_uri: str, account: Account) -> None:
    stream, records = account
    correlation = json.loads(records[-1].metadata)["$correlationId"]
    assert answer("trace", stream, store=eventstore_uri) == answer("trace", correlation, store=eventstore_uri)
    with operating(eventstore_uri) as store:
        store.append(stray := f"stray-{uuid4()}", NewRecord("Strayed", b"{}"))
    said = f"foldstream trace: the newest event of {stray}, version 0, carries no correlation id"
    assert run("trace", stray, store=eventstore_uri, code=1) == ([], [said])


def test_an_id_that_no_event_carries_is_refused_with_where_one_is_found(eventstore_uri: str) -> None:
    [error] = run("trace", str(uuid4()), store=eventstore_uri, code=1)[1]
    assert error.endswith(f"; {CORRELATION_IDS}")
    assert CORRELATION_IDS.startswith("a correlation id stands in the header Foldstream-Correlation-Id of an answer")
    assert "`foldstream history STREAM --json`" in CORRELATION_IDS


@pytest.mark.parametrize("verb", [("history",), ("as-of", "--version", "0"), ("changes",), ("trace",), ("export",)])
def test_a_bare_id_is_refused_with_the_streams_that_it_may_stand_for(
    eventstore_uri: str, account: Account, verb: tuple[str, ...]
) -> None:
    name = f"mug-{uuid4()}"
    registered = SkuRegistered(sku=name)
    stored = CODEC.encode(registered, metadata(registered, correlation=uuid4()))  # read models of other tests read it
    for expected in ("; ", f"; there is stock:{name}"):
        [error] = run(verb[0], name, *verb[1:], store=eventstore_uri, code=1)[1]
        assert expected in error
        with operating(eventstore_uri) as store:
            store.append(f"stock-{stock_id(name)}", stored)
    own_id = account[0].removeprefix("account-")
    [error] = run(verb[0], own_id, *verb[1:], store=eventstore_uri, code=1)[1]
    if verb != ("trace",):  # there it is read as a correlation id
        assert error == f"foldstream {verb[0]}: there is no stream {own_id}; there is account-{own_id}"
    else:
        assert f"; there is account-{own_id}; {CORRELATION_IDS}" in error


def test_an_export_is_json_lines_with_and_without_json(eventstore_uri: str, account: Account) -> None:
    lines, _ = run("export", account[0], store=eventstore_uri)
    assert run("export", account[0], "--json", store=eventstore_uri) == (lines, [])
    assert [json.loads(line)["version"] for line in lines] == [0, 1, 2]


def test_an_export_is_replayed_without_a_store(eventstore_uri: str, account: Account, tmp_path: Path) -> None:
    stream, _ = account
    file = tmp_path / "account.jsonl"
    assert run("export", stream, "--out", str(file), store=eventstore_uri) == ([], [])
    assert run("export", stream, store=eventstore_uri)[0] == file.read_text(encoding="utf-8").splitlines()
    assert [path.name for path in tmp_path.iterdir()] == ["account.jsonl"]
    assert answer("replay", str(file))["state"] == balance("120.00")
    steps = answer("replay", str(file), "--step", "--version", "1")
    assert [step["after"] for step in steps] == [balance("0.00"), balance("100.00")]
    output, _ = run("replay", str(file), "--step")
    assert [line for line in output if line.startswith("  before")][1:] == [
        line.replace("after ", "before") for line in output if line.startswith("  after")
    ][:-1]
    assert run("replay", str(file))[0][0].startswith(f"{stream} at version 2, since ")


def test_a_sku_is_found_by_its_name(eventstore_uri: str) -> None:
    sku = f"mug-{uuid4()}"
    _, errors = run("history", f"stock:{sku}", store=eventstore_uri, code=1)
    assert errors == [f"foldstream history: there is no stream stock-{stock_id(sku)}"]


def test_the_store_of_a_running_service_is_found_by_its_folder(
    eventstore_uri: str, account: Account, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    listed = [{"name": "redis", "pid": 1}, {"name": "eventstore", "pid": 2, "uri": eventstore_uri}]
    (tmp_path / "run" / "processes.json").write_text(json.dumps(listed), encoding="utf-8")
    assert answer("history", account[0], "--data", str(tmp_path))["stream"] == account[0]


def test_what_has_no_answer_is_one_line_and_exit_code_1(eventstore_uri: str, account: Account, tmp_path: Path) -> None:
    stream, records = account
    first = written(records[0])
    early = first - timedelta(days=1)
    unset = (
        f"no event store is named, and no service runs in the folder {tmp_path}: start `foldstream serve --data"
        f" {tmp_path}`, say by --data where it runs, or name the event store by --eventstore URI or"
        " FOLDSTREAM_EVENTSTORE_URI"
    )
    missing = tmp_path / "missing"
    refusals = (
        (("as-of", "order-0", "--version", "0"), "there is no stream order-0"),
        (("as-of", stream, "--version", "3"), f"{stream} ends at version 2"),
        (
            ("as-of", stream, "--at", time_text(early)),
            f"{stream} holds nothing from before {first:%Y-%m-%dT%H:%M:%S}",
        ),
        (("changes", "lamp-0"), "lamp-0 is of no known category; the streams that have a state: order-…"),
        (("export", "order-0", "--out", str(missing)), "there is no stream order-0"),
        (("export", stream, "--out", str(missing / "x")), f"the file {missing / 'x'} can't be used: No such file"),
        (("replay", str(missing)), f"the file {missing} can't be used: No such file or directory"),
    )
    running = [Command(arguments, _at(eventstore_uri)) for arguments, _ in refusals]
    ended = [command.wait() for command in running]
    for each, (arguments, line) in zip(ended, refusals, strict=True):
        assert (each.code, each.output, len(each.errors)) == (1, [], 1)
        assert each.errors[0].startswith(f"foldstream {arguments[0]}: {line}")
    assert ended[2].errors[0].endswith("Z")
    assert run("history", stream, "--data", str(tmp_path), code=1) == ([], [f"foldstream history: {unset}"])


def test_an_unreachable_store_is_one_line_and_exit_code_1() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        output, errors = run("history", "order-0", store=f"esdb://127.0.0.1:{port}?tls=false", code=1)
    assert (output, len(errors)) == ([], 1)
    assert errors[0].startswith(f"foldstream history: The event store at 127.0.0.1:{port} can't be used: ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("as-of", "order-0"), "foldstream as-of: Invalid value: give either --at TIME or --version N"),
        (
            ("as-of", "order-0", "--version", "0", "--at", "2026-03-01"),
            "foldstream as-of: Invalid value: give either --at TIME or --version N",
        ),
        (
            ("changes", "order-0", "--from", "2026-10-01", "--to", "2026-07-01"),
            "foldstream changes: Invalid value: --to is not after --from",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: tuple[str, ...], line: str) -> None:
    assert run(*arguments, code=2) == ([], [line])


def test_an_invalid_export_is_refused_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("{}\n", encoding="utf-8")
    assert run("replay", str(file), code=1)[1] == [f"foldstream replay: {file}, line 1: type is missing"]
    file.write_bytes(b"\xff\xfe")
    assert run("replay", str(file), code=1)[1] == [
        f"foldstream replay: the file {file} can't be used: it is not text in UTF-8"
    ]


def test_the_state_of_every_category_can_be_shown() -> None:
    for boundary in BOUNDARIES.values():
        state = boundary.initial
        assert json.loads(json.dumps(dump_state(state)))["is"] == type(state).__name__
