"""A trace lists the commands of a correlation, each after what caused it, however long the chain is."""

import json
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from infrastructure.eventstore.record import Record
from infrastructure.history.trace import Found
from service.cli.history.tree import print_tree
from service.history.answers import record_answer, trace_answer
from tests.infrastructure.history.ledger import CODEC, NOW, deposited, metadata

ACCOUNT = str(uuid4())


def record(version: int, cause: UUID | None, data: bytes = b"") -> Record:
    """The event of a command that `cause` led to."""
    event = deposited(ACCOUNT, "1.00")
    new = CODEC.encode(event, metadata(event, correlation=uuid4(), cause=cause))
    return Record(f"account-{ACCOUNT}", version, version, uuid4(), new.type, data or new.data, new.metadata, NOW)


def chain(length: int) -> list[Record]:
    """The event of a request, and those that followed, each caused by the one before."""
    records: list[Record] = []
    for version in range(length):
        records.append(record(version, records[-1].id if records else None))
    return records


def listed(records: Sequence[Record]) -> list[tuple[int, str | None, list[str]]]:
    answer = trace_answer("id", Found(tuple(records), len(records)))
    return [
        (command["depth"], command["caused_by"], [event["id"] for event in command["events"]])
        for command in json.loads(json.dumps(answer))["commands"]
    ]


def test_a_chain_may_have_any_length() -> None:
    records = chain(3000)
    causes = [None, *(str(cause.id) for cause in records)]
    assert listed(records) == [(depth, causes[depth], [str(each.id)]) for depth, each in enumerate(records)]


def test_all_that_follows_from_a_command_comes_before_the_next_one() -> None:
    first, other = record(0, None), record(1, None)
    second, third = record(2, first.id), record(3, first.id)
    last = record(4, second.id)
    assert [(depth, ids) for depth, _, ids in listed([first, other, second, third, last])] == [
        (0, [str(first.id)]),
        (1, [str(second.id)]),
        (2, [str(last.id)]),
        (1, [str(third.id)]),
        (0, [str(other.id)]),
    ]


def test_a_long_chain_keeps_its_lines_short(capsys: pytest.CaptureFixture[str]) -> None:
    records = chain(500)
    print_tree("id", Found(tuple(records), len(records)))
    output = capsys.readouterr().out.splitlines()
    assert len(output) == 1 + 2 * len(records)
    assert str(records[-1].id) in output[-1]
    assert max(len(line) for line in output) < 300


@pytest.mark.parametrize("data", [b"NaN", b"[1e999]", b'"\\ud800"', b"[" * 100_000, b"\xff", b"{", b"1" * 5000])
def test_data_that_can_not_be_json_are_null(data: bytes) -> None:
    assert record_answer(record(0, None, data))["data"] is None
