"""Every send of an append has event ids that nobody else draws."""

from uuid import UUID

from esdbclient.protos.Grpc.streams_pb2 import BatchAppendReq

from infrastructure.eventstore.append_messages import FreshIds, append_message
from infrastructure.eventstore.record import NewRecord

RECORDS = [NewRecord("Noted", b"{}"), NewRecord("Noted", b"{}")]


def test_no_id_is_drawn_twice() -> None:
    drawn = [source.draw() for source in (FreshIds(), FreshIds()) for _ in range(100)]
    assert len(set(drawn)) == 200
    assert {str(UUID(each)) for each in drawn} == set(drawn)


def test_the_beginnings_by_which_tokens_name_events_differ_too() -> None:
    ids = FreshIds()
    assert len({ids.draw()[:8] for _ in range(1_000)}) == 1_000
    assert FreshIds().draw()[:8] != ids.draw()[:8]


def test_the_same_records_are_sent_under_other_ids_each_time() -> None:
    ids = FreshIds()
    messages = [append_message(ids, "note-0", -1, RECORDS, 2.5) for _ in range(2)]
    read = [BatchAppendReq.FromString(message.request) for message in messages]
    sent = [proposed.id.string for request in read for proposed in request.proposed_messages]
    assert len({*sent, *(request.correlation_id.string for request in read)}) == 6
    assert [message.event_ids for message in messages] == [tuple(sent[:2]), tuple(sent[2:])]
