"""`foldstream append` takes what this release can decode, all of it under the expected version, or nothing."""

import json
import os
import pty
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from domain.stock.stock import SkuRegistered, StockReceived, stock_id
from infrastructure.eventstore.record import Record
from service.cli.operator_act import Act
from service.history.sources import CODEC
from tests.infrastructure.eventstore.operator import Operator
from tests.infrastructure.history.ledger import metadata
from tests.service.cli.streams.command import Said, said
from tests.support.commands import Command, Surroundings
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.terminal import read_until

WHY = "a delivery that was not booked"
RECEIVED = {"type": "StockReceived", "data": {"sku": "mug", "quantity": 3}}


@pytest.fixture
def sku(operator: Operator) -> str:
    """Registered, and received once: its stream ends at version 1."""
    name = f"mug-{uuid4()}"
    story = (SkuRegistered(sku=name), StockReceived(sku=name, quantity=1))
    stored = [CODEC.encode(event, metadata(event, correlation=uuid4())) for event in story]
    operator.append(f"stock-{stock_id(name)}", *stored)
    return name


def written(folder: Path, *events: Any) -> str:
    file = folder / "repair.jsonl"
    file.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
    return str(file)


def appended(uri: str, stream: str, file: str, *arguments: str) -> Said:
    return said(uri, "append", stream, "--file", file, "--why", WHY, "--yes", *arguments)


def stored(operator: Operator, stream: str) -> Sequence[Record]:
    return operator.reader.page(stream, 0, 100) or ()


def test_it_is_there_once_with_who_and_why_however_often_it_is_sent(
    uri: str, operator: Operator, sku: str, tmp_path: Path
) -> None:
    stream, file = f"stock-{stock_id(sku)}", written(tmp_path, RECEIVED, RECEIVED)
    ended = appended(uri, f"stock:{sku}", file, "--expected", "1", "--json")
    told = json.loads("\n".join(ended.output))
    assert told.pop("position").isdecimal()
    assert (ended.code, told) == (0, {"stream": stream, "events": 2, "first_version": 2, "version": 3})
    again = appended(uri, f"stock:{sku}", file, "--expected", "1")
    assert again == (None, [], f"{stream}: it is at version 3, and version 1 was expected; nothing was appended")
    records = stored(operator, stream)[2:]
    assert [json.loads(record.data) for record in records] == [RECEIVED["data"]] * 2
    (first,) = {record.metadata for record in records}
    repair = json.loads(first)["repair"]
    assert (repair["actor"], repair["why"]) == (Act(None).actor, WHY)
    event = CODEC.events_in(records[0])[0]
    assert event.event == StockReceived(sku="mug", quantity=3)
    assert (event.metadata.actor, event.metadata.tenant, event.metadata.causation_id) == (
        *(Act(None).actor, "default"),
        event.metadata.command_id,
    )


def test_what_was_read_is_appended_elsewhere_with_its_own_metadata(
    uri: str, operator: Operator, sku: str, tmp_path: Path
) -> None:
    file, stream = tmp_path / "read.jsonl", f"stock-{stock_id(copy := f'{sku}-copy')}"
    read = said(uri, "read", f"stock:{sku}", "--json")
    file.write_text("\n".join(read.output), encoding="utf-8")
    ended = appended(uri, f"stock:{copy}", str(file), "--expected", "none")
    assert (ended.code, ended.output) == (0, [f"Appended 2 events to {stream}: versions 0 to 1."])
    before, after = stored(operator, f"stock-{stock_id(sku)}"), stored(operator, stream)
    assert [record.data for record in after] == [record.data for record in before]
    without = [{k: v for k, v in json.loads(record.metadata).items() if k != "repair"} for record in after]
    assert without == [json.loads(record.metadata) for record in before]
    assert appended(uri, f"stock:{copy}", str(file), "--expected", "none").code is None


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"type": "StockMelted", "data": {}}, "StockMelted: the name is unknown"),
        ({"type": "StockReceived", "data": {"sku": "mug"}}, "StockReceived: quantity: Field required"),
        ({"type": "AccountOpened", "data": {}}, "AccountOpened: "),
        ({**RECEIVED, "metadata": {"schema_version": 99}}, "StockReceived: version 99 is unknown"),
        ({**RECEIVED, "metadata": {"time": "noon"}}, "StockReceived: metadata: time: "),
    ],
)
def test_what_can_not_be_decoded_there_is_refused_with_its_line(
    uri: str, operator: Operator, sku: str, tmp_path: Path, event: dict[str, Any], reason: str
) -> None:
    stream, file = f"stock-{stock_id(sku)}", written(tmp_path, RECEIVED, event)
    code, output, refusal = appended(uri, f"stock:{sku}", file, "--expected", "1")
    assert (code, output) == (None, [])
    assert refusal.startswith(f"{stream}: {file}, line 2: {reason}")
    assert refusal.endswith("; --unchecked appends it as it is")
    assert len(stored(operator, stream)) == 2


def test_unchecked_anything_is_taken_by_any_stream_and_says_who_and_why(
    uri: str, operator: Operator, tmp_path: Path
) -> None:
    stream, file = f"kiosk-{uuid4()}", written(tmp_path, {"type": "Painted", "data_base64": "iVBORwD/"})
    refused = appended(uri, stream, file, "--expected", "none")
    assert refused.refusal.startswith(f"{stream} is of no known category; ")
    ended = appended(uri, stream, file, "--expected", "none", "--unchecked")
    assert (ended.code, ended.output) == (0, [f"Appended 1 event to {stream}: version 0."])
    [record] = stored(operator, stream)
    assert (record.type, record.data) == ("Painted", b"\x89PNG\x00\xff")
    assert json.loads(record.metadata)["repair"]["why"] == WHY


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ([], "it should be an object"),
        ({"type": "StockReceived"}, "data is missing"),
        ({"data": {}}, "type should be a text that is not empty"),
        ({**RECEIVED, "metdata": {}}, "its member 'metdata' is unknown"),
        ({**RECEIVED, "data_base64": ""}, "it has both data and data_base64; one of them counts"),
        ({"type": "StockReceived", "data_base64": "%"}, ""),
        ({"type": "Stock\ud800", "data": {}}, "type holds half of a surrogate pair"),
    ],
)
def test_a_line_that_is_no_event_is_refused(uri: str, sku: str, tmp_path: Path, event: Any, reason: str) -> None:
    file = written(tmp_path, RECEIVED, event)
    code, output, refusal = appended(uri, f"stock:{sku}", file, "--expected", "1")
    assert (code, output) == (None, [])
    assert refusal.startswith(f"{file}, line 2: is no event: {reason}")


def test_a_line_that_is_nested_too_deeply_is_refused(uri: str, sku: str, tmp_path: Path) -> None:
    file = tmp_path / "deep.jsonl"
    file.write_text(f'{{"type":"StockReceived","data":{"[" * 50_000}{"]" * 50_000}}}\n', encoding="utf-8")
    assert (
        appended(uri, f"stock:{sku}", str(file), "--expected", "1").refusal == f"{file}, line 1: is nested too deeply"
    )


def test_metadata_that_take_no_word_an_empty_file_and_one_that_is_not_there_are_refused(
    uri: str, sku: str, tmp_path: Path
) -> None:
    stream, file = f"stock-{stock_id(sku)}", written(tmp_path, {**RECEIVED, "metadata": []})
    listed = appended(uri, f"stock:{sku}", file, "--expected", "1", "--unchecked").refusal
    assert listed == f"{stream}: {file}, line 1: its metadata should be a JSON object: who and why stand in it"
    empty = appended(uri, f"stock:{sku}", written(tmp_path), "--expected", "1").refusal
    assert empty == f"{stream}: {file} holds no event"
    missing = appended(uri, f"stock:{sku}", "/nowhere", "--expected", "1").refusal
    assert missing == "the file /nowhere can't be used: No such file or directory"


def test_what_is_too_large_is_refused_before_anything_is_sent(uri: str, sku: str, tmp_path: Path) -> None:
    large = {"type": "StockReceived", "data": {"sku": "mug", "quantity": 1, "note": "x" * 1_100_000}}
    one = appended(uri, f"stock:{sku}", written(tmp_path, large), "--expected", "1")
    assert (one.code, "can't be appended to" in one.refusal) == (None, True)
    many = appended(uri, f"stock:{sku}", written(tmp_path, *[large] * 16), "--expected", "1")
    assert many.refusal.endswith("can't be appended to: the events have more than the 16767216 bytes of a request")


@pytest.mark.parametrize("stream", ["$settings", "access-2026-11-28", "acme.access-2026-11-28", "snapshot-order-0"])
def test_what_servers_keep_for_themselves_is_wrong_usage(uri: str, tmp_path: Path, stream: str) -> None:
    refused = appended(uri, stream, written(tmp_path, RECEIVED), "--expected", "none", "--unchecked")
    assert (refused.code, refused.refusal.endswith(": nobody appends to that by hand")) == (None, True)


def test_from_the_input_it_is_taken_without_a_question_alone(uri: str, operator: Operator, sku: str) -> None:
    stream = f"stock-{stock_id(sku)}"
    arguments = ("append", f"stock:{sku}", "--file", "-", "--expected", "1", "--why", WHY)
    typed = Surroundings(typed=json.dumps(RECEIVED))
    ends = [Command((*arguments, *yes), {"FOLDSTREAM_EVENTSTORE_URI": uri}, typed) for yes in ((), ("--yes",))]
    asking, appending = (each.wait() for each in ends)
    assert (asking.code, asking.output) == (2, [])
    assert (appending.code, appending.output) == (0, [f"Appended 1 event to {stream}: version 2."])
    assert len(stored(operator, stream)) == 3


def test_a_stream_that_another_appends_to_meanwhile_gets_nothing(
    uri: str, operator: Operator, sku: str, tmp_path: Path
) -> None:
    """All that race expect the same version: one of them finds it."""
    stream, file = f"stock-{stock_id(sku)}", written(tmp_path, RECEIVED)
    arguments = ("append", stream, "--file", file, "--expected", "1", "--why", WHY, "--yes")
    racing = [Command(arguments, {"FOLDSTREAM_EVENTSTORE_URI": uri}) for _ in range(4)]
    ends = sorted((each.code, each.output) for each in [command.wait() for command in racing])
    assert ends == [(0, [f"Appended 1 event to {stream}: version 2."]), *[(1, [])] * 3]
    assert len(stored(operator, stream)) == 3


def test_on_a_terminal_a_no_leaves_the_stream_as_it_is_and_a_yes_appends(
    uri: str, operator: Operator, sku: str, tmp_path: Path
) -> None:
    stream, file = f"stock-{stock_id(sku)}", written(tmp_path, *[RECEIVED] * 7)
    arguments = ("append", f"stock:{sku}", "--file", file, "--expected", "1", "--why", WHY)
    for answer, code, events in ((b"n\n", 1, 2), (b"y\n", 0, 9)):
        terminal, own_end = pty.openpty()
        device = os.ttyname(own_end)
        command = f"exec {shlex.join([*FOLDSTREAM, *arguments])} <{device} 2>{device}"
        environment = {"FOLDSTREAM_EVENTSTORE_URI": uri, "PYTHONPATH": str(Path.cwd())}
        process = Listened(("sh", "-c", command), environment)
        shown = read_until(terminal, b"[y/N]: ").decode()
        os.write(terminal, answer)
        assert process.wait(within=60) == code
        os.close(terminal)
        os.close(own_end)
        lines = shown.split("\r\n")
        assert lines[:5] == ['StockReceived {"sku":"mug","quantity":3}'] * 5
        assert lines[5:] == ["… and 2 more", f"Append 7 events to {stream} after version 1? [y/N]: "]
        assert len(stored(operator, stream)) == events
