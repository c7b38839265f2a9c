"""`foldstream read` shows the events of any stream, whatever they hold, from either end."""

import json
from base64 import b64encode
from typing import Any
from uuid import uuid4

import pytest

from infrastructure.eventstore.record import NewRecord
from tests.infrastructure.eventstore.operator import Operator
from tests.service.cli.streams.command import said

STREAM = f"kiosk-{uuid4()}"
PICTURE = b"\x89PNG\x00\xff"
RECORDS = (
    NewRecord("Opened", b'{"by":"ada"}', b'{"$correlationId":"c-1"}'),
    NewRecord("Painted", PICTURE, b"", "application/octet-stream"),
    NewRecord("Closed", b'{ "at": 1.50 }', b"{}"),
)


@pytest.fixture(scope="module", autouse=True)
def kiosk(operator: Operator) -> None:
    operator.append(STREAM, *RECORDS)


def lines(uri: str, *arguments: str) -> list[dict[str, Any]]:
    ended = said(uri, "read", *arguments, "--json")
    assert (ended.code, ended.refusal) == (0, "")
    return [json.loads(line) for line in ended.output]


def types(uri: str, *arguments: str) -> list[str]:
    return [line["type"] for line in lines(uri, *arguments)]


def test_content_is_given_to_the_byte(uri: str) -> None:
    opened, painted, closed = lines(uri, STREAM)
    assert (opened["version"], opened["stream"], opened["data"]) == (0, STREAM, {"by": "ada"})
    assert opened["metadata"] == {"$correlationId": "c-1"}
    assert painted["data_base64"] == b64encode(PICTURE).decode()
    assert closed["data_base64"] == b64encode(RECORDS[2].data).decode()  # as JSON it would be another text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), ["Opened", "Painted", "Closed"]),
        (("--from", "1"), ["Painted", "Closed"]),
        (("--limit", "2"), ["Opened", "Painted"]),
        (("--backwards",), ["Closed", "Painted", "Opened"]),
        (("--backwards", "--limit", "1"), ["Closed"]),
        (("--backwards", "--from", "1"), ["Painted", "Opened"]),
        (("--from", "3"), []),
    ],
)
def test_it_is_read_from_either_end(uri: str, arguments: tuple[str, ...], expected: list[str]) -> None:
    assert types(uri, STREAM, *arguments) == expected


def test_the_whole_log_has_the_system_s_own_streams_too(uri: str) -> None:
    newest = lines(uri, "$all", "--backwards", "--limit", "2")
    assert newest[0]["data"]["resource"] == "$all"  # the entry of this very call
    place = str(newest[1]["position"])
    assert lines(uri, "$all", "--from", place, "--limit", "1") == [newest[1]]
    assert lines(uri, "$all", "--from", place, "--limit", "1", "--backwards")[0]["position"] < newest[1]["position"]
    assert lines(uri, "$all", "--limit", "1")[0]["stream"].startswith("$")


def test_people_are_told_of_bytes_that_are_no_json_and_how_to_go_on(uri: str) -> None:
    code, output, _ = said(uri, "read", STREAM, "--limit", "2")
    assert (code, len(output)) == (0, 7)
    assert output[0].startswith(f"0@{STREAM}  Opened  ")
    assert output[1:3] == ['    data      {"by":"ada"}', '    metadata  {"$correlationId":"c-1"}']
    assert output[4:] == ["    data      6 bytes that are no JSON", "    metadata  nothing", "There are more: --from 2"]
    output = said(uri, "read", "$all", "--backwards", "--limit", "1").output
    assert output[3] == f"There are more: --from {output[0].partition('position ')[2].split()[0]}"


def test_what_is_not_there_is_one_line(uri: str, operator: Operator) -> None:
    operator.append(buried := f"kiosk-{uuid4()}", RECORDS[0])
    operator.tombstone(buried)
    for stream, reason in (("kiosk-none", "there is no stream kiosk-none"), (buried, f"{buried} was deleted for good")):
        assert said(uri, "read", stream) == (None, [], reason)
    reason = "no record lies at position 3; `position` of a record that was read is one"
    assert said(uri, "read", "$all", "--from", "3") == (None, [], reason)
