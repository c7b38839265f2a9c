"""`foldstream parked replay` delivers what is parked again, oldest first, no more than is asked for."""

import os
import pty
import subprocess

import pytest

from service.cli.operator_act import Act
from service.cli.parked.replay import Replay, replay
from service.errors import NotReplayed
from tests.service.cli.parked.till import PAID, Till, versions
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM

NOBODY = "nobody consumes it, and until somebody does, the event store has it in memory alone"


def test_the_oldest_alone_come_again_where_so_many_are_asked_for(till: Till) -> None:
    stream = till.paid(4)
    till.group("billing", stream)
    till.park("billing", stream, 4)
    with till.consumer("billing", stream) as consumer:
        asked = ("replay", "billing", "--limit", "3", "--yes", "--why", "it is mended")
        assert till.answer(*asked) == {"group": f"{stream}::billing", "replayed": 3, "parked": 1}
        assert versions(consumer, 3) == [0, 1, 2]
        assert [message["version"] for message in till.answer("show", "billing")["messages"]] == [3]
        assert till.said("replay", "billing", "--limit", "3", "--yes") == [
            f"Delivered 1 message of {stream}::billing again; 0 parked now."
        ]
        assert versions(consumer, 1) == [3]
        assert till.said("replay", "billing", "--yes") == [f"{stream}::billing has nothing parked."]
        nothing = {"group": f"{stream}::billing", "replayed": 0, "parked": 0}
        assert till.answer("replay", "billing", "--yes") == nothing


def test_many_are_handed_over_some_at_a_time_and_what_is_parked_anew_is_left(till: Till) -> None:
    stream = till.paid(5)
    till.group("billing", stream)
    till.park("billing", stream, 5)
    few_at_a_time = Replay(limit=None, yes=True, as_json=True, chunk=2)
    with till.consumer("billing", stream) as consumer:
        assert replay(till.uri, "billing", few_at_a_time, Act(None)) == 0
        first = next(consumer)
        consumer.nack(first, "park")
        assert (first.stream_position, versions(consumer, 4)) == (0, [1, 2, 3, 4])
        poll_until(lambda: till.parked("billing", stream) == 1, seconds=10, what="one that is parked anew")
    [message] = till.answer("show", "billing")["messages"]
    assert (message["number"], message["version"]) == (5, 0)


def test_without_a_consumer_nothing_leaves_what_is_kept(till: Till) -> None:
    stream = till.paid(2)
    till.group("billing", stream)
    till.park("billing", stream, 2)
    assert till.refusal("replay", "billing", "--yes") == (
        f"what {stream}::billing has parked can't be delivered again now: {NOBODY}"
    )
    assert till.answer("show", "billing")["parked"] == 2


def test_where_consumers_take_no_more_the_rest_stays_parked(till: Till) -> None:
    stream = till.paid(6)
    till.group("billing", stream, read_batch_size=1, history_buffer_size=100)
    till.park("billing", stream, 5)
    hasty = Replay(limit=None, yes=True, as_json=False, chunk=2, patience=1.0)
    with till.consumer("billing", stream, slots=1) as consumer:
        assert next(consumer).stream_position == 5
        with pytest.raises(NotReplayed, match="nothing moved for 1 s, and 2 wait for consumers") as refused:
            replay(till.uri, "billing", hasty, Act(None))
        assert refused.value.delivered == 2
    assert [message["version"] for message in till.answer("show", "billing")["messages"]] == [2, 3, 4]


def test_one_replay_at_a_time_is_begun(till: Till) -> None:
    stream = till.paid(4)
    till.group("billing", stream, read_batch_size=1, history_buffer_size=2)
    till.park("billing", stream, 2)
    till.operator.append(stream, *[PAID] * 2)
    with till.consumer("billing", stream, slots=1):
        till.operator.client.replay_parked_events("billing", stream, timeout=5.0)
        poll_until(lambda: "Replaying" in status(till, stream), seconds=10, what="a replay that waits for room")
        assert till.refusal("replay", "billing", "--yes") == (
            f"what {stream}::billing has parked can't be delivered again now: the event store is at it already"
        )


def status(till: Till, stream: str) -> str:
    return till.operator.client.get_subscription_info("billing", stream, timeout=5.0).status


def asked(till: Till, said: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command whose user says this on a terminal."""
    terminal, own_end = pty.openpty()
    command = ("/usr/bin/env", f"FOLDSTREAM_EVENTSTORE_URI={till.uri}", *FOLDSTREAM, "parked", *arguments)
    with os.fdopen(terminal, "wb", buffering=0) as keyboard:
        process = subprocess.Popen(command, stdin=own_end, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.close(own_end)
        keyboard.write(f"{said}\n".encode())
        output, errors = process.communicate(timeout=60)
    return process.returncode, output.strip(), errors


@pytest.mark.parametrize(("verb", "question"), [("replay", "Deliver 2 of 3"), ("drop", "Drop 2 of 3")])
def test_on_a_terminal_it_asks_with_the_number_before_it_does_anything(till: Till, verb: str, question: str) -> None:
    stream = till.paid(3)
    till.group("billing", stream)
    till.park("billing", stream, 3)
    options = {"replay": ("--limit", "2"), "drop": ("--up-to", "1")}[verb]
    with till.consumer("billing", stream):
        code, output, errors = asked(till, "n", verb, "billing", *options)
    assert (code, output) == (1, "")
    assert errors.startswith(f"{question} messages that {stream}::billing has parked, the oldest since 2")
    assert till.answer("show", "billing")["parked"] == 3
