"""A change says who did what, why, and each field before and after; a window selects changes by time."""

from uuid import uuid4

import pytest

from infrastructure.history.errors import UnknownStream
from infrastructure.history.moment import written
from infrastructure.history.states import Difference, differences
from tests.infrastructure.eventstore.operator import Operator
from tests.infrastructure.history.ledger import (
    CODEC,
    append,
    balance,
    deposited,
    metadata,
    past,
    stored,
    told,
    withdrawn,
)


def test_each_change_shows_the_fields_that_it_changed(store: Operator) -> None:
    stream, records = told(store, "100.00")
    first, second = past(store, stream).changes(None, None)
    assert first.record == records[0]
    assert first.fields == [
        Difference("is", "NoAccount", "Account"),
        Difference("owner_id", None, "harbour"),
        Difference("balance.amount", None, "0.00"),
        Difference("balance.currency", None, "EUR"),
        Difference("credit_limit.amount", None, "0.00"),
        Difference("credit_limit.currency", None, "EUR"),
    ]
    assert second.fields == [Difference("balance.amount", "0.00", "100.00")]
    assert (second.before, second.after) == (balance("0.00"), balance("100.00"))
    assert (second.metadata.actor, second.cause) == ("harbour", None)


def test_a_change_names_the_event_that_caused_it(store: Operator) -> None:
    stream, _ = told(store, "100.00")
    cause, event = uuid4(), withdrawn(stream.partition("-")[2], "1.00")
    caused = metadata(event, correlation=uuid4(), cause=cause, actor="saga")
    append(store, stream, [CODEC.encode(event, caused)])
    last = list(past(store, stream).changes(None, None))[-1]
    assert (last.cause, last.metadata.actor) == (cause, "saga")


def test_a_window_holds_changes_from_a_time_on_and_before_another(store: Operator) -> None:
    stream, records = told(store, "1.00", "2.00", "3.00")
    since, until = written(records[1]), written(records[3])
    found = list(past(store, stream).changes(since, until))
    assert [(change.record, change.after) for change in found] == [
        (records[1], balance("1.00")),
        (records[2], balance("3.00")),
    ]


def test_a_stream_of_more_than_a_page_is_read_whole(store: Operator) -> None:
    account = str(uuid4())
    stream, _ = told(store)
    append(store, stream, [stored(deposited(account, "1.00")) for _ in range(2100)])
    changes = list(past(store, stream).changes(None, None))
    assert [change.record.version for change in changes] == list(range(2101))
    assert changes[-1].after == balance("2100.00")


def test_an_unknown_stream_is_refused(store: Operator) -> None:
    with pytest.raises(UnknownStream):
        list(past(store, "account-0").changes(None, None))


def test_fields_that_come_and_go_and_members_of_lists_differ() -> None:
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
