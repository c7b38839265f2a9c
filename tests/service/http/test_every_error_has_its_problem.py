"""How the errors of every layer are told to callers."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import structlog

from domain.errors import Rejected, Unknown
from domain.message import Metadata
from domain.stock.stock import StockReceived
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import (
    CommandIdReused,
    ConcurrencyConflict,
    EventStoreError,
    EventTooLarge,
    Overloaded,
    StoreUnavailable,
    UnknownEventType,
    UnknownEventVersion,
    UnreadableEvent,
    VersionMismatch,
)
from infrastructure.eventstore.record import NewRecord
from infrastructure.readmodels.errors import ForeignPosition, ReadModelBehind, ReadModelUnavailable, StoreReplaced
from infrastructure.sagas.errors import UnknownInstance, UnknownSignal, WordRefused
from service.consumers import EVENTS
from service.http import tokens
from service.http.problems import Problem, document
from service.http.refusals import problem_of
from tests.infrastructure.eventstore.operator import operating
from tests.service.http.api_server import away, serving
from tests.service.http.shop import assert_refused
from tests.support.eventstore import EventStoreProcess
from tests.support.positions import at

STREAM = "order-0"


@pytest.mark.parametrize(
    ("error", "status", "rule"),
    [
        (Rejected("no-items", "…"), 409, "no-items"),
        (Rejected("no-such-line", "…"), 404, "no-such-line"),
        (Rejected("malformed", "…"), 422, "malformed"),
        (Unknown("order", "0"), 404, "unknown-order"),
        (Unknown("sku", "lamp"), 404, "unknown-sku"),
        (StoreUnavailable("127.0.0.1:1", "gone"), 503, "store-unavailable"),
        (Overloaded("127.0.0.1:1", 1024), 429, "overloaded"),
        (ConcurrencyConflict(STREAM, 10), 409, "conflict"),
        (EventTooLarge(STREAM, "max size is 1048576"), 413, "event-too-large"),
        (VersionMismatch(STREAM, 1, 2), 412, "version-mismatch"),
        (CommandIdReused(STREAM, uuid4()), 422, "idempotency-key-reused"),
        (UnknownEventType(STREAM, 1, 2, "OrderMelted"), 500, "unreadable-event"),
        (UnknownEventVersion(STREAM, 1, 2, "OrderShipped", 9), 500, "unreadable-event"),
        (UnreadableEvent(STREAM, 1, 2, "no JSON"), 500, "unreadable-event"),
        (ReadModelBehind("stock_levels", at(1), at(2)), 503, "read-model-behind"),
        (ForeignPosition("stock_levels", at(2), "…"), 422, "foreign-position"),
        (ReadModelUnavailable("stock_levels", "wiped"), 503, "read-model-unavailable"),
        (UnknownInstance("fulfilment-0"), 404, "unknown-saga"),
        (UnknownSignal("fulfilment-0", "word", ()), 404, "unknown-signal"),
        (WordRefused("saga-not-pausable", "fulfilment-0", "has ended"), 409, "saga-not-pausable"),
    ],
)
def test_an_error_has_its_status_and_rule(error: Rejected, status: int, rule: str) -> None:
    problem = problem_of(error)
    assert (problem.status_code, problem.rule) == (status, rule)


@pytest.mark.parametrize("error", [StoreReplaced("stock_levels", "a", "b"), EventStoreError("…")])
def test_what_a_caller_can_do_nothing_about_stays_an_error(error: EventStoreError) -> None:
    with pytest.raises(type(error)) as raised:
        problem_of(error)
    assert raised.value is error


def test_one_that_is_behind_says_where_it_is_and_which_stream_is_blocked() -> None:
    behind = problem_of(ReadModelBehind("order_summary", at(1), at(2)))
    told = "order_summary has not come as far as it was asked to."
    members = {"position": tokens.write(at(1)), "at_least": tokens.write(at(2))}
    assert (behind.detail, behind.members) == (told, members)
    blocked = problem_of(ReadModelBehind("order_summary", at(1), None, stream=STREAM, version=3))
    assert blocked.detail == f"order_summary can't fold {STREAM} at version 3; what comes after it waits."
    assert blocked.members == {"position": tokens.write(at(1)), "stream": STREAM, "version": 3}


def test_a_conflict_says_how_often_it_was_tried() -> None:
    assert document(problem_of(ConcurrencyConflict(STREAM, 10)), "/orders/0/confirm") == {
        "type": "urn:foldstream:problem:conflict",
        "title": "Conflict",
        "status": 409,
        "detail": "Others changed it 10 times meanwhile; try again.",
        "instance": "/orders/0/confirm",
        "rule": "conflict",
    }


def test_an_instance_is_a_path_as_it_is_sent() -> None:
    assert document(Problem("unknown-path", "…"), "/a b/ä?#\ufffd")["instance"] == "/a%20b/%C3%A4%3F%23%EF%BF%BD"


def misplaced() -> NewRecord:
    """An event that this release reads; it is no order's."""
    cause = uuid4()
    metadata = Metadata(
        correlation_id=cause,
        causation_id=cause,
        command_id=cause,
        digest="0",
        actor="anonymous",
        tenant="default",
        schema_version=1,
        time=datetime(2026, 3, 1, tzinfo=UTC),
    )
    return EventCodec(EVENTS).encode(StockReceived(sku="lamp", quantity=1), metadata)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (NewRecord("OrderCreated", b'{"secret": 1}', b"{}"), "OrderCreated: metadata: $correlationId: Field required"),
        (misplaced(), "StockReceived: is no event of this category"),
    ],
)
@pytest.mark.parametrize("sent", [("POST", "/orders/{}/confirm"), ("GET", "/history/order-{}/as-of?version=0")])
def test_an_event_that_can_t_be_read_is_named_wherever_it_is_met(
    record: NewRecord, reason: str, sent: tuple[str, str]
) -> None:
    order_id, (method, path) = str(uuid4()), sent
    stream = f"order-{order_id}"
    with (
        structlog.testing.capture_logs() as captured,
        EventStoreProcess(None) as store,
        serving(away(eventstore_uri=store.uri)) as http,
    ):
        with operating(store.uri) as operator:
            position = operator.append(stream, record)
        answer = http.request(method, path.format(order_id))
        counted = http.get("/metrics").text
    place = {"stream": stream, "version": 0, "position": str(position)}
    assert_refused(answer, 500, "unreadable-event", f"This release can't read {stream} at version 0.", **place)
    assert "secret" not in answer.text
    [line] = [line for line in captured if line["event"] == "request_unserved"]
    assert (line["stream"], line["version"], line["position"]) == (stream, 0, position)
    told = reason if method == "POST" else reason.replace("this category", "order")
    assert line["reason"] == f"{stream} can't be read at version 0 (position {position}): {told}"
    if method == "POST":
        counter = 'foldstream_commands_total{command="ConfirmOrder",outcome="unreadable-event"} 1.0'
        assert counter in counted.splitlines()
