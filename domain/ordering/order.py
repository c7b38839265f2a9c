"""One order: lines added and removed, confirmed, then shipped or cancelled; its stream alone decides which."""

from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal, TypeAlias, assert_never

from pydantic import BaseModel, ConfigDict, Field

from domain.decider import Decider
from domain.errors import Rejected, Unknown
from domain.message import Command, LaterText
from domain.money import Currency, in_currency
from domain.ordering.events import (
    CancellationRequested,
    ItemAdded,
    ItemRemoved,
    Line,
    OrderCancelled,
    OrderConfirmed,
    OrderCreated,
    OrderEvent,
    OrderShipped,
    ShipmentDeclined,
    total_of,
)
from domain.terms import Id, Name, Price, Quantity, Reason


@dataclass(frozen=True, slots=True)
class NoOrder:
    """No order was created; its stream may hold declined requests."""


@dataclass(frozen=True, slots=True)
class Order:
    """What was ordered so far, by which customer, and whose the account must be that is charged (None: anybody's).

    `cause` is the first recorded reason to cancel.
    """

    customer_id: str
    account_id: str
    currency: Currency
    lines: tuple[Line, ...]
    next_line: int
    owner_id: str | None = None
    status: Literal["pending", "confirmed", "shipped", "cancelled"] = "pending"
    cause: str | None = None


def evolve(order: NoOrder | Order, event: OrderEvent) -> NoOrder | Order:
    if isinstance(event, OrderCreated):
        return Order(
            event.customer_id,
            event.account_id,
            event.currency,
            event.lines,
            next_line=len(event.lines) + 1,
            owner_id=event.owner_id,
        )
    return order if isinstance(order, NoOrder) else _evolve(order, event)


def _evolve(
    order: Order,
    event: ItemAdded
    | ItemRemoved
    | OrderConfirmed
    | CancellationRequested
    | OrderShipped
    | ShipmentDeclined
    | OrderCancelled,
) -> Order:
    match event:
        case ItemAdded():
            return replace(order, lines=(*order.lines, event.line), next_line=event.line.line + 1)
        case ItemRemoved():
            return replace(order, lines=tuple(line for line in order.lines if line.line != event.line))
        case OrderConfirmed():
            return replace(order, status="confirmed")
        case CancellationRequested():
            return replace(order, cause=order.cause or event.reason)
        case OrderShipped():
            return replace(order, status="shipped")
        case OrderCancelled():
            return replace(order, status="cancelled", cause=order.cause or event.reason)
        case ShipmentDeclined():
            return order
        case _:
            assert_never(event)


MOST_LINES: Final = 100
CANCELLED_BY_CUSTOMER: Final = "cancelled-by-customer"


class Item(BaseModel):
    """One line of a request. The price has no currency of its own: it is in that of the order."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    sku: Name
    quantity: Quantity
    unit_price: Price


class _OrderCommand(Command):
    order_id: Id

    @property
    def aggregate_id(self) -> str:
        return self.order_id


class CreateOrder(_OrderCommand):
    """With an `owner_id` the order can be paid from an account of this owner only."""

    customer_id: Name
    account_id: Id
    currency: Currency
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=MOST_LINES)]
    owner_id: Name | None = None


class AddItem(_OrderCommand):
    sku: Name
    quantity: Quantity
    unit_price: Price


class RemoveItem(_OrderCommand):
    line: int


class ConfirmOrder(_OrderCommand):
    """With an `owner_id` the order can be paid from an account of this owner only, whoever created it."""

    owner_id: LaterText = None


class RequestCancellation(_OrderCommand):
    reason: Reason = CANCELLED_BY_CUSTOMER


class ShipOrder(_OrderCommand):
    pass


class CancelOrder(_OrderCommand):
    reason: Reason


OrderCommand: TypeAlias = (
    CreateOrder | AddItem | RemoveItem | ConfirmOrder | RequestCancellation | ShipOrder | CancelOrder
)


def decide(command: OrderCommand, order: NoOrder | Order) -> list[OrderEvent]:
    match command:
        case CreateOrder():
            return create(command, order)
        case AddItem():
            return add(command, _existing(command, order))
        case RemoveItem():
            return remove(command, _existing(command, order))
        case ConfirmOrder():
            return confirm(command, _existing(command, order))
        case RequestCancellation():
            return request_cancellation(command, _existing(command, order))
        case ShipOrder():
            return ship(command, order)
        case CancelOrder():
            return cancel(command, order)
        case _:
            assert_never(command)


def create(command: CreateOrder, order: NoOrder | Order) -> list[OrderEvent]:
    if isinstance(order, Order):
        raise Rejected("order-exists", f"There is an order {command.order_id} already.")
    return [
        OrderCreated(
            order_id=command.order_id,
            customer_id=command.customer_id,
            account_id=command.account_id,
            currency=command.currency,
            lines=tuple(_line(number, item, command.currency) for number, item in enumerate(command.items, 1)),
            owner_id=command.owner_id,
        )
    ]


def add(command: AddItem, order: Order) -> list[OrderEvent]:
    line = _line(order.next_line, command, order.currency)
    _demand_pending(command, order)
    if len(order.lines) >= MOST_LINES:
        raise Rejected("too-many-items", f"An order has at most {MOST_LINES} lines.")
    return [ItemAdded(order_id=command.order_id, line=line)]


def remove(command: RemoveItem, order: Order) -> list[OrderEvent]:
    _demand_pending(command, order)
    if all(line.line != command.line for line in order.lines):
        raise Rejected("no-such-line", f"Order {command.order_id} has no line {command.line}.")
    return [ItemRemoved(order_id=command.order_id, line=command.line)]


def confirm(command: ConfirmOrder, order: Order) -> list[OrderEvent]:
    if order.status == "confirmed":
        return []
    _demand_pending(command, order)
    if not order.lines:
        raise Rejected("no-items", f"Order {command.order_id} has no items to confirm.")
    return [
        OrderConfirmed(
            order_id=command.order_id,
            account_id=order.account_id,
            lines=order.lines,
            total=total_of(order.lines, order.currency),
            owner_id=command.owner_id or order.owner_id,
        )
    ]


def request_cancellation(command: RequestCancellation, order: Order) -> list[OrderEvent]:
    """Cancels a pending order at once; of a confirmed one it records the request, which prevents shipping."""
    order_id, reason = command.order_id, command.reason
    match order.status:
        case "pending":
            return [OrderCancelled(order_id=order_id, reason=reason)]
        case "confirmed":
            return [] if order.cause is not None else [CancellationRequested(order_id=order_id, reason=reason)]
        case "cancelled":
            return []
        case "shipped":
            raise _already_shipped(command)
        case _:
            assert_never(order.status)


def ship(command: ShipOrder, order: NoOrder | Order) -> list[OrderEvent]:
    """Records a decline as an event, also for an unknown order, so that a late duplicate finds an answer."""
    if isinstance(order, NoOrder):
        return [ShipmentDeclined(order_id=command.order_id, reason="unknown-order")]
    if order.status == "shipped":
        return []
    if order.cause is not None or order.status != "confirmed":
        return [ShipmentDeclined(order_id=command.order_id, reason=order.cause or "order-not-confirmed")]
    return [OrderShipped(order_id=command.order_id)]


def cancel(command: CancelOrder, order: NoOrder | Order) -> list[OrderEvent]:
    """Cancels for the first recorded cause, else for the command's reason."""
    if isinstance(order, NoOrder):
        return [OrderCancelled(order_id=command.order_id, reason=command.reason)]
    if order.status == "shipped":
        raise _already_shipped(command)
    if order.status == "cancelled":
        return []
    return [OrderCancelled(order_id=command.order_id, reason=order.cause or command.reason)]


def _existing(command: _OrderCommand, order: NoOrder | Order) -> Order:
    if isinstance(order, NoOrder):
        raise Unknown("order", command.order_id)
    return order


def _demand_pending(command: _OrderCommand, order: Order) -> None:
    if order.status != "pending":
        raise Rejected("order-not-pending", f"Order {command.order_id} is {order.status}.")


def _already_shipped(command: _OrderCommand) -> Rejected:
    return Rejected("order-already-shipped", f"Order {command.order_id} has been shipped.")


def _line(number: int, item: Item | AddItem, currency: Currency) -> Line:
    price = in_currency(item.unit_price, currency)
    return Line(line=number, sku=item.sku, quantity=item.quantity, unit_price=price)


decider: Final = Decider[OrderCommand, NoOrder | Order, OrderEvent](
    category="order",
    events=(
        OrderCreated,
        ItemAdded,
        ItemRemoved,
        OrderConfirmed,
        CancellationRequested,
        OrderShipped,
        ShipmentDeclined,
        OrderCancelled,
    ),
    initial=NoOrder(),
    evolve=evolve,
    decide=decide,
    exists=lambda order: isinstance(order, Order),
    owner=lambda order: order.customer_id if isinstance(order, Order) else None,
)
