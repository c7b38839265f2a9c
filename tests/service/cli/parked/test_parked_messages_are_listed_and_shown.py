"""`foldstream parked list` and `show` tell what groups have parked, when, by whom and why."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from infrastructure.eventstore.record import NewRecord
from infrastructure.terminal import printable
from service.consumers import SAGAS, groups_of
from tests.service.cli.parked.till import PAID, Till
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import EVIL, raw
from tests.support.polling import poll_until

SAGA = SAGAS[0].category


def test_every_group_is_listed_with_what_it_has_parked(till: Till) -> None:
    stream = till.paid(3)
    former = groups_of(SAGAS[0], "foldstream")
    till.group("billing", stream)
    till.group("billing", None)
    till.group(former, None)
    till.park("billing", stream, 2)
    found = till.answer("list")["groups"]
    assert [group for group in found if group["parked"] == 0] == [
        empty("$all", "billing"),
        empty("$all", former) | {"saga": SAGA, "former": True},
    ]
    [group] = [group for group in found if group["parked"]]
    oldest = datetime.fromisoformat(group.pop("oldest"))
    [first, _] = till.answer("show", f"{stream}::billing")["messages"]
    assert datetime.fromisoformat(first["at"]) == oldest
    expected = empty(stream, "billing") | {"parked": 2, "first": 0, "last": 1}
    assert group == {name: value for name, value in expected.items() if name != "oldest"}


def empty(source: str, name: str) -> dict[str, Any]:
    """A group of nobody's that has nothing parked."""
    numbers = {"parked": 0, "exact": True, "first": None, "last": None, "oldest": None}
    return {"group": f"{source}::{name}", "source": source, "name": name, **numbers, "saga": None, "former": None}


def test_people_get_tables(till: Till) -> None:
    assert till.said("list") == ["0 groups of $all with 0 parked messages, 0 groups of streams with 0 parked messages."]
    stream = till.paid(2)
    till.group("billing", stream)
    assert till.said("show", "billing") == [f"{stream}::billing has nothing parked."]
    till.park("billing", stream, 2)
    header, row, summary = till.said("list")
    assert header.split() == ["group", "parked", "oldest", "numbers", "saga"]
    assert row.split()[:2] + row.split()[3:] == [f"{stream}::billing", "2", "0", "to", "1"]
    assert summary == "0 groups of $all with 0 parked messages, 1 group of streams with 2 parked messages."
    header, row, _ = till.said("show", "billing")
    assert header.split() == ["number", "parked", "by", "event", "stream", "version", "position", "reason"]
    assert row.split()[:1] + row.split()[2:6] == ["0", "consumer", "Paid", stream, "0"]


def test_a_message_is_shown_with_its_event_who_parked_it_and_why(till: Till) -> None:
    till.group("billing", None, max_retry_count=0, from_end=True)
    paid = [till.paid(1), till.paid(1)]
    with till.consumer("billing", None) as consumer:
        refused, failed = next(consumer), next(consumer)
        assert [refused.stream_name, failed.stream_name] == paid
        consumer.nack(refused, "park")
        poll_until(lambda: till.parked("billing", None) == 1, seconds=10, what="one parked")
        consumer.nack(failed, "retry")
        poll_until(lambda: till.parked("billing", None) == 2, seconds=10, what="two parked")
    till.operator.delete(failed.stream_name)
    first, second = till.answer("show", "billing")["messages"]
    assert datetime.fromisoformat(first.pop("at")) <= datetime.fromisoformat(second.pop("at"))
    assert datetime.fromisoformat(first.pop("written_at")) == refused.recorded_at
    assert first == {
        "number": 0,
        "by": "consumer",
        "reason": "",
        "stream": refused.stream_name,
        "version": 0,
        "event_id": str(refused.id),
        "event_type": "Paid",
        "position": refused.commit_position,
    }
    gone = dict.fromkeys(("event_id", "event_type", "position", "written_at"))
    why = {"number": 1, "by": "event store", "reason": "Reached retry count of 0"}
    assert second == {**why, "stream": failed.stream_name, "version": 0, **gone}


def test_pages_come_one_after_the_other(till: Till) -> None:
    stream = till.paid(5)
    till.group("billing", stream)
    till.park("billing", stream, 5)
    pages = [till.answer("show", "billing", "--limit", "2", "--from", first) for first in ("0", "2", "4", "9")]
    assert [[message["number"] for message in page["messages"]] for page in pages] == [[0, 1], [2, 3], [4], []]
    assert [page["next"] for page in pages] == [2, 4, None, None]
    assert {page["parked"] for page in pages} == {5}
    assert till.said("show", "billing", "--limit", "2", "--from", "1")[3:] == ["2 more, from number 3 on: --from 3"]


def test_a_name_must_be_that_of_one_group(till: Till) -> None:
    stream = till.paid(1)
    till.group("billing", stream)
    till.group("billing", None)
    assert till.refusal("show", "billing") == f"billing is $all::billing or {stream}::billing: say which"
    assert till.answer("show", f"{stream}::billing")["group"] == f"{stream}::billing"
    assert till.answer("show", "$all::billing")["group"] == "$all::billing"
    assert till.refusal("show", "payroll") == (
        "the event store has no persistent subscription payroll; `foldstream subscriptions list` names them"
    )


def test_what_anybody_wrote_to_a_parked_stream_is_shown_as_it_is(till: Till) -> None:
    stream = till.paid(1)
    till.group("billing", stream)
    parked = f"$persistentsubscription-{stream}::billing-parked"
    odd = (
        NewRecord("$>", b"\xff", b"[]"),
        NewRecord("$>", b"x@y", b'{"reason": 7}'),
        NewRecord("$>", b"9" * 5_000 + b"@y"),
    )
    till.operator.append(parked, *odd, NewRecord("$>", b"1@", b"[" * 100_000), PAID)
    found = till.answer("show", "billing")["messages"]
    nothing = dict.fromkeys(("stream", "version", "event_id", "event_type", "position", "written_at"))
    assert [{**message, "at": None} for message in found] == [
        {"number": 0, "at": None, "by": None, "reason": "", **nothing},
        {"number": 1, "at": None, "by": None, "reason": "7", **nothing},
        *({"number": number, "at": None, "by": None, "reason": "", **nothing} for number in (2, 3, 4)),
    ]


def test_what_a_terminal_would_act_upon_is_shown_escaped(till: Till) -> None:
    stream, name = f"{EVIL}{uuid4()}", f"billing{EVIL}"
    till.operator.append(stream, *[NewRecord(EVIL, b"{}")] * 3)
    till.group(name, stream)
    till.park(name, stream, 3)
    reason = NewRecord("$>", f"0@{stream}".encode(), b'{"reason": "\\u001b[2J\\u009b"}')
    till.operator.append(f"$persistentsubscription-{stream}::{name}-parked", reason)
    with till.consumer(name, stream):
        said = [
            till.ended("list"),
            till.ended("show", name),
            till.ended("replay", name, "--limit", "1", "--yes"),
            till.ended("drop", name, "--yes"),
        ]
    assert [(result.exit_code, raw(result.stdout + result.stderr)) for result in said] == [(0, [])] * 4
    assert printable(EVIL) in said[1].stdout
