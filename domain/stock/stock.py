"""Stock of one SKU: received, held for orders, given back, consumed, written off."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Final, TypeAlias, assert_never
from uuid import NAMESPACE_URL, uuid5

from pydantic import Field

from domain.decider import Decider
from domain.errors import Rejected, Unknown
from domain.message import Command, Event, stored_as
from domain.stock import upcasters
from domain.terms import Id, Name, Quantity


@stored_as(name="SkuRegistered", version=1)
class SkuRegistered(Event):
    sku: str


@stored_as(name="StockReceived", version=1)
class StockReceived(Event):
    sku: str
    quantity: int


@stored_as(name="StockDamaged", version=1, upcasters=upcasters.DAMAGED)
class StockDamaged(Event):
    sku: str
    quantity: int


@stored_as(name="StockReserved", version=1)
class StockReserved(Event):
    sku: str
    order_id: str
    quantity: int


@stored_as(name="ReservationDeclined", version=1)
class ReservationDeclined(Event):
    sku: str
    order_id: str
    quantity: int
    available: int


@stored_as(name="ReservationReleased", version=1)
class ReservationReleased(Event):
    sku: str
    order_id: str
    quantity: int


@stored_as(name="ReservationConsumed", version=1)
class ReservationConsumed(Event):
    sku: str
    order_id: str
    quantity: int


StockEvent: TypeAlias = (
    SkuRegistered
    | StockReceived
    | StockDamaged
    | StockReserved
    | ReservationDeclined
    | ReservationReleased
    | ReservationConsumed
)


@dataclass(frozen=True, slots=True)
class Stock:
    """What is on hand, and how much of it each order holds."""

    registered: bool = False
    on_hand: int = 0
    held: Mapping[str, int] = field(default_factory=dict)

    @property
    def available(self) -> int:
        return self.on_hand - sum(self.held.values())


def evolve(stock: Stock, event: StockEvent) -> Stock:
    match event:
        case SkuRegistered():
            return replace(stock, registered=True)
        case StockReceived():
            return replace(stock, on_hand=stock.on_hand + event.quantity)
        case StockDamaged():
            return replace(stock, on_hand=stock.on_hand - event.quantity)
        case StockReserved():
            return replace(stock, held={**stock.held, event.order_id: event.quantity})
        case ReservationReleased():
            return replace(stock, held=_without(stock, event.order_id))
        case ReservationConsumed():
            remaining = stock.on_hand - event.quantity
            return replace(stock, on_hand=remaining, held=_without(stock, event.order_id))
        case ReservationDeclined():
            return stock
        case _:
            assert_never(event)


def _without(stock: Stock, order_id: str) -> Mapping[str, int]:
    return {key: quantity for key, quantity in stock.held.items() if key != order_id}


_NAMESPACE: Final = uuid5(NAMESPACE_URL, "foldstream:sku")


def stock_id(sku: str) -> str:
    """The id of a SKU's stream: a UUIDv5 of the natural key, which the events keep."""
    return str(uuid5(_NAMESPACE, sku))


class _StockCommand(Command):
    sku: Name

    @property
    def aggregate_id(self) -> str:
        return stock_id(self.sku)


class ReceiveStock(_StockCommand):
    quantity: Quantity


class WriteOffDamage(_StockCommand):
    quantity: Quantity


class ReserveStock(_StockCommand):
    order_id: Id
    quantity: Annotated[int, Field(ge=1)]  # of all lines of an order together, so more than one line may ask


class ReleaseReservation(_StockCommand):
    order_id: Id


class ConsumeReservation(_StockCommand):
    order_id: Id


StockCommand: TypeAlias = ReceiveStock | WriteOffDamage | ReserveStock | ReleaseReservation | ConsumeReservation


def decide(command: StockCommand, stock: Stock) -> list[StockEvent]:
    match command:
        case ReceiveStock():
            return receive(command, stock)
        case WriteOffDamage():
            return write_off(command, stock)
        case ReserveStock():
            return reserve(command, stock)
        case ReleaseReservation():
            return _settle(ReservationReleased, command, stock)
        case ConsumeReservation():
            return _settle(ReservationConsumed, command, stock)
        case _:
            assert_never(command)


def receive(command: ReceiveStock, stock: Stock) -> list[StockEvent]:
    received = StockReceived(sku=command.sku, quantity=command.quantity)
    return [received] if stock.registered else [SkuRegistered(sku=command.sku), received]


def write_off(command: WriteOffDamage, stock: Stock) -> list[StockEvent]:
    if not stock.registered:
        raise Unknown("sku", command.sku)
    if command.quantity > stock.available:
        raise Rejected(
            "not-enough-stock",
            f"Of {command.sku} {stock.available} are available, {command.quantity} can't be written off.",
        )
    return [StockDamaged(sku=command.sku, quantity=command.quantity)]


def reserve(command: ReserveStock, stock: Stock) -> list[StockEvent]:
    """Records a decline as an event, also for an unknown SKU, so that a late duplicate finds an answer."""
    sku, order_id, quantity = command.sku, command.order_id, command.quantity
    if order_id in stock.held:
        return []
    if quantity > stock.available:
        return [ReservationDeclined(sku=sku, order_id=order_id, quantity=quantity, available=stock.available)]
    return [StockReserved(sku=sku, order_id=order_id, quantity=quantity)]


def _settle(
    fact: type[ReservationReleased | ReservationConsumed],
    command: ReleaseReservation | ConsumeReservation,
    stock: Stock,
) -> list[StockEvent]:
    """A reservation ends once: an order that holds nothing changes nothing."""
    quantity = stock.held.get(command.order_id)
    return [] if quantity is None else [fact(sku=command.sku, order_id=command.order_id, quantity=quantity)]


decider: Final = Decider[StockCommand, Stock, StockEvent](
    category="stock",
    events=(
        SkuRegistered,
        StockReceived,
        StockDamaged,
        StockReserved,
        ReservationDeclined,
        ReservationReleased,
        ReservationConsumed,
    ),
    initial=Stock(),
    evolve=evolve,
    decide=decide,
    exists=lambda stock: stock.registered,
)
