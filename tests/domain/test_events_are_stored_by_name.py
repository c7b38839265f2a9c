"""Events are stored by an explicit name and version, whole and exact, and read tolerantly."""

import json
from dataclasses import replace
from typing import Any, Final

import pytest
from pydantic import TypeAdapter
from pydantic_core import to_json, to_jsonable_python

from domain.accounts.account import decider as accounts
from domain.booking.saga import saga as booking
from domain.engine_events import ENGINE_EVENTS, PREFIX, SagaMessageParked
from domain.fulfilment.saga import saga
from domain.message import Event
from domain.ordering.events import ItemAdded, Line, OrderConfirmed
from domain.ordering.order import decider as orders
from domain.stock.stock import decider as stocks
from domain.trips.car import decider as cars
from domain.trips.flight import decider as flights
from domain.trips.room import decider as rooms
from domain.trips.trip import decider as trips
from tests.domain.values import ORDER, money

EVENTS: Final[tuple[type[Event], ...]] = (
    *orders.events,
    *stocks.events,
    *accounts.events,
    *saga.events,
    *booking.events,
    *cars.events,
    *rooms.events,
    *flights.events,
    *trips.events,
    *ENGINE_EVENTS,
)
NAMES: Final = """
    AccountCharged AccountOpened AgreementReached AirlineAnswered AirlineAwaited AirlineSilent BookingAbandoned
    BookingAgreed BookingBegun BookingCompleted BookingOpened BookingStarted BookingStepDeclined CancellationHeard
    CancellationRequested CarConfirmationDeclined CarReleaseDeclined CarReservationDeclined CarsConfirmed CarsIntroduced
    CarsOffered CarsReleased CarsReserved ChargeDeclined ChargeRefunded DispatchAgreed DispatchForbidden FlightConfirmed
    FlightDeadlinePassed FlightDeclined FlightNotConfirmed FlightWordAwaited FulfilmentAbandoned FulfilmentCompleted
    FulfilmentRecalled FulfilmentStarted GoodsHandedOver GoodsMissing GoodsReturned GoodsSecured ItemAdded ItemRemoved
    MoneyDeposited MoneyWithdrawn NothingToCharge OrderCancelled OrderConfirmed OrderCreated OrderShipped PartConfirmed
    PartMissing PartOverdue PartReturned PartSecured PaymentCollected PaymentFailed PaymentReturned PaymentTaken
    PaymentWaived ReservationConsumed ReservationDeclined ReservationReleased RoomConfirmationDeclined
    RoomReleaseDeclined RoomReservationDeclined RoomsConfirmed RoomsIntroduced RoomsOffered RoomsReleased RoomsReserved
    SagaCallBegun SagaCancelRequested SagaDeadlineEnded SagaDeadlinePassed SagaDeadlineSet SagaMarked
    SagaMessageAttempted SagaMessageLate SagaMessageParked SagaMessageTaken SagaMessageWaiting SagaMigrated SagaPaused
    SagaResumed SagaSignalTaken SagaSignalled SagaStepSkipped SagaStopped SagaUndoOrdered SagaUndoTaken SagaVersionSet
    SeatConfirmationDeclined SeatReleaseDeclined SeatReservationDeclined SeatsConfirmed SeatsIntroduced SeatsOffered
    SeatsReleased SeatsReserved ShipmentDeclined SkuRegistered StockDamaged StockReceived StockReserved TripBooked
    TripCancellationRequested TripCancelled TripRefused TripRequested
"""
LAMP: Final = Line(line=1, sku="lamp", quantity=2, unit_price=money("19.90"))


def test_no_name_and_version_is_used_twice() -> None:
    stored = [(event.stored_name, event.stored_version) for event in EVENTS]
    assert len(set(stored)) == len(stored)


def test_the_names_that_are_in_logs_already_are_these() -> None:
    assert sorted(event.stored_name for event in EVENTS) == NAMES.split()


def test_names_that_begin_with_saga_are_those_of_the_engine_s_events() -> None:
    assert [event for event in EVENTS if event.stored_name.startswith(PREFIX)] == [*ENGINE_EVENTS]
    with pytest.raises(
        ValueError, match="SagaMessageParked of fulfilment: names that begin with Saga are the engine's"
    ):
        replace(saga, events=(SagaMessageParked,))  # type: ignore[arg-type]  # the type checker says no, too


def test_an_event_is_stored_as_json_with_money_as_digits() -> None:
    added = ItemAdded(order_id=ORDER, line=LAMP)
    assert json.loads(to_json(added)) == {
        "order_id": ORDER,
        "line": {
            "line": 1,
            "sku": "lamp",
            "quantity": 2,
            "unit_price": {"amount": "19.90", "currency": "EUR"},
        },
    }


def test_what_was_stored_is_read_back_exactly() -> None:
    confirmed = OrderConfirmed(order_id=ORDER, account_id=ORDER, lines=(LAMP,), total=money("39.80"))
    again = TypeAdapter(OrderConfirmed).validate_json(to_json(confirmed))
    assert again == confirmed
    assert str(again.total.amount) == "39.80"


def test_members_that_a_newer_version_added_are_passed_over() -> None:
    newer: dict[str, Any] = {**to_jsonable_python(LAMP), "colour": "red"}
    read = TypeAdapter(ItemAdded).validate_json(json.dumps({"order_id": ORDER, "line": newer, "note": "gift"}))
    assert read == ItemAdded(order_id=ORDER, line=LAMP)


def changes_that_the_type_checker_refuses(added: ItemAdded) -> None:
    """An ignored error that is none is one: so this fails the check where events or their values may be changed."""
    added.order_id = "another"  # type: ignore[misc]  # what must not be
    added.line.sku = "another"  # type: ignore[misc]  # what must not be
    added.line.unit_price.currency = "USD"  # type: ignore[misc]  # what must not be
