"""`foldstream parked drop` takes away what is parked, up to a number or all; no event is touched."""

import json

from infrastructure.eventstore.log_reader import LogReader
from service.cli.operator_act import Act
from tests.service.cli.parked.till import PAID, Till, versions


def test_up_to_a_number_they_are_dropped_and_the_rest_comes_again(till: Till) -> None:
    stream = till.paid(5)
    till.group("billing", stream)
    till.park("billing", stream, 5)
    with till.consumer("billing", stream) as consumer:
        till.said("replay", "billing", "--limit", "1", "--yes")
        before = metadata(till, stream)
        answer = till.answer("drop", "billing", "--up-to", "2", "--yes", "--why", "paid by hand")
        assert answer == {"group": f"{stream}::billing", "dropped": 2, "parked": 2}
        assert metadata(till, stream) == {**before, "$tb": 3}
        till.said("replay", "billing", "--yes")
        assert versions(consumer, 3) == [0, 3, 4]
    assert [record.version for record in till.operator.reader.page(stream, 0, 10) or ()] == [0, 1, 2, 3, 4]


def test_who_dropped_them_and_why_is_kept(till: Till) -> None:
    stream = till.paid(1)
    till.group("billing", stream)
    till.park("billing", stream, 1)
    till.said("drop", "billing", "--yes", "--why", "paid by hand")
    [record] = LogReader(till.operator.client).page(f"$${parked_stream(stream)}", None, 1, backwards=True) or ()
    assert json.loads(record.metadata) == {"actor": Act(None).actor, "why": "paid by hand"}


def test_what_is_parked_after_that_counts_anew(till: Till) -> None:
    stream = till.paid(2)
    till.group("billing", stream)
    till.park("billing", stream, 2)
    assert till.said("drop", "billing", "--yes") == [
        f"Dropped 2 messages that {stream}::billing had parked; 0 parked now."
    ]
    assert till.said("drop", "billing", "--yes") == [f"{stream}::billing has nothing parked."]
    till.operator.append(stream, PAID)
    till.park("billing", stream, 1)
    assert [message["number"] for message in till.answer("show", "billing")["messages"]] == [2]
    assert till.said("drop", "billing", "--up-to", "1", "--yes") == [
        f"{stream}::billing has nothing parked up to number 1."
    ]
    assert till.answer("drop", "billing", "--up-to", "1", "--yes") == {
        "group": f"{stream}::billing",
        "dropped": 0,
        "parked": 1,
    }


def parked_stream(stream: str) -> str:
    return f"$persistentsubscription-{stream}::billing-parked"


def metadata(till: Till, stream: str) -> dict[str, object]:
    """What is set for the stream that the store keeps parked messages in."""
    return dict(till.operator.client.get_stream_metadata(parked_stream(stream), timeout=5.0)[0])
