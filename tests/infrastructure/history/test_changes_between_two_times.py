"""Changes say who did what, because of what, and every field before and after; from a time on, and before another."""

from uuid import uuid4

import pytest
from esdbclient import EventStoreDBClient

from infrastructure.history.errors import UnknownStream
from infrastructure.history.moment import written
from infrastructure.history.states import Difference, differences
from tests.infrastructure.history.ledger import CODEC, append, balance, deposited, metadata, past, told, withdrawn


def test_every_change_with_the_fields_that_it_changed(store: EventStoreDBClient) -> None:
    stream, records = told(store, "100.00")
    first, second = past(store, stream).changes(None, None)
    assert first.record == records[0]
    assert first.fields == [
        Difference("is", "NoAccount", "Account"),
        Difference("balance.amount", None, "0.00"),
        Difference("balance.currency", None, "EUR"),
        Difference("credit_limit.amount", None, "0.00"),
        Difference("credit_limit.currency", None, "EUR"),
    ]
    assert second.fields == [Difference("balance.amount", "0.00", "100.00")]
    assert (second.before, second.after) == (balance("0.00"), balance("100.00"))
    assert (second.metadata.actor, second.cause) == ("harbour", None)


def test_the_event_that_caused_it_is_told(store: EventStoreDBClient) -> None:
    stream, _ = told(store, "100.00")
    cause, event = uuid4(), withdrawn(stream.partition("-")[2], "1.00")
    append(
        store, stream, [CODEC.encode(event, uuid4(), metadata(event, correlation=uuid4(), cause=cause, actor="saga"))]
    )
    last = list(past(store, stream).changes(None, None))[-1]
    assert (last.cause, last.metadata.actor) == (cause, "saga")


def test_from_a_time_on_and_before_another(store: EventStoreDBClient) -> None:
    stream, records = told(store, "1.00", "2.00", "3.00")
    since, until = written(records[1]), written(records[3])
    found = list(past(store, stream).changes(since, until))
    assert [(change.record, change.after) for change in found] == [
        (records[1], balance("1.00")),
        (records[2], balance("3.00")),
    ]


def test_more_than_a_page(store: EventStoreDBClient) -> None:
    account = str(uuid4())
    stream, _ = told(store)
    event = deposited(account, "1.00")
    append(store, stream, [CODEC.encode(event, uuid4(), metadata(event, correlation=uuid4())) for _ in range(2100)])
    changes = list(past(store, stream).changes(None, None))
    assert [change.record.stream_position for change in changes] == list(range(2101))
    assert changes[-1].after == balance("2100.00")


def test_a_stream_that_is_not_there(store: EventStoreDBClient) -> None:
    with pytest.raises(UnknownStream):
        list(past(store, "account-0").changes(None, None))


def test_fields_that_come_and_go_and_lists() -> None:
    before = {"is": "Order", "lines": [{"sku": "mug", "quantity": 1}], "cause": None}
    after = {"is": "Order", "lines": [{"sku": "mug", "quantity": 2}, {"sku": "cup", "quantity": 1}], "cause": "late"}
    assert differences(before, after) == [
        Difference("lines.0.quantity", 1, 2),
        Difference("lines.1.sku", None, "cup"),
        Difference("lines.1.quantity", None, 1),
        Difference("cause", None, "late"),
    ]
    assert differences(after, before)[-2:] == [
        Difference("lines.1.sku", "cup", None),
        Difference("lines.1.quantity", 1, None),
    ]
