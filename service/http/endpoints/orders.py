"""Orders: created, changed, confirmed, cancelled; read by id and by customer."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from domain.errors import Unknown
from domain.money import Currency
from domain.ordering.events import ItemAdded
from domain.ordering.order import AddItem, ConfirmOrder, CreateOrder, RemoveItem, RequestCancellation
from projections import order_summary, orders_by_customer
from projections.listed_order import ListedOrder, Status
from projections.order_summary import OrderSummary
from service.access.action import Action
from service.http import tokens
from service.http.endpoints import queries
from service.http.endpoints.answers import Changed, LineAdded, changed, created, digits
from service.http.endpoints.commands import Sending
from service.http.endpoints.documentation import documented
from service.http.endpoints.forms import (
    NO_REASON,
    NOTHING,
    CancelForm,
    CustomerPath,
    ItemForm,
    LinePath,
    Nothing,
    OrderForm,
    OrderPath,
    digits_at,
)
from service.http.endpoints.queries import Freshness, Listing, Reading
from service.http.middleware.admission import does, only_owner, require_owner
from service.http.middleware.strict_route import StrictRoute

router = APIRouter(route_class=StrictRoute, tags=["orders"])


class LineAnswer(BaseModel):
    """One line of an order."""

    line: int
    sku: str
    quantity: int
    unit_price: str


class OrderAnswer(BaseModel):
    """An order as it stands. `reason` says why it was cancelled."""

    id: str
    customer_id: str
    account_id: str
    status: Status
    currency: Currency
    total: str
    items: list[LineAnswer]
    item_count: int
    reason: str | None
    created_at: datetime
    updated_at: datetime
    version: int


class OrderInList(BaseModel):
    """An order in the list of a customer's orders."""

    id: str
    status: Status
    total: str
    currency: Currency
    item_count: int
    created_at: datetime


class OrdersAnswer(BaseModel):
    """A part of a customer's orders, newest first; `next` is the cursor of the part after it."""

    orders: list[OrderInList]
    next: str | None


class OrdersListing(Listing):
    """Which of a customer's orders, and which part of them."""

    status: Status | None = None


@router.post(
    "/orders",
    status_code=201,
    response_model=Changed,
    responses=documented("create", "order-exists"),
    openapi_extra=does(Action.CREATE_ORDER),
)
async def create_order(form: OrderForm, sending: Sending) -> JSONResponse:
    """Creates an order."""
    require_owner(sending.request, form.customer_id)
    items = form.priced_items()

    def command(order_id: str) -> CreateOrder:
        return CreateOrder(
            order_id=order_id,
            customer_id=form.customer_id,
            account_id=form.account_id,
            currency=form.currency,
            items=items,
            owner_id=only_owner(sending.request),
        )

    order_id, sent = await sending.create("orders", form.id, command, form)
    return created(f"/orders/{order_id}", order_id, sent)


@router.post(
    "/orders/{order_id}/items",
    response_model=LineAdded,
    responses=documented("command", "unknown-order", "order-not-pending", "too-many-items"),
    openapi_extra=does(Action.CHANGE_ORDER),
)
async def add_item(order_id: OrderPath, form: ItemForm, sending: Sending) -> JSONResponse:
    """Adds a line to a pending order."""
    command = AddItem(order_id=order_id, sku=form.sku, quantity=form.quantity, unit_price=form.price)
    with digits_at("/unit_price"):
        sent = await sending.send(command, f"/orders/{order_id}/items", form)
    added = [event.line.line for event in sent.outcome.events if isinstance(event, ItemAdded)]
    return changed(order_id, sent, line=added[0])


@router.delete(
    "/orders/{order_id}/items/{line}",
    response_model=Changed,
    responses=documented("command", "unknown-order", "order-not-pending", "no-such-line"),
    openapi_extra=does(Action.CHANGE_ORDER),
)
async def remove_item(order_id: OrderPath, line: LinePath, sending: Sending, form: Nothing = NOTHING) -> JSONResponse:
    """Removes a line from a pending order."""
    command = RemoveItem(order_id=order_id, line=line)
    return changed(order_id, await sending.send(command, f"/orders/{order_id}/items/{line}", form))


@router.post(
    "/orders/{order_id}/confirm",
    response_model=Changed,
    responses=documented("command", "unknown-order", "no-items", "order-not-pending"),
    openapi_extra=does(Action.CONFIRM_ORDER),
)
async def confirm_order(order_id: OrderPath, sending: Sending, form: Nothing = NOTHING) -> JSONResponse:
    """Confirms an order; its fulfilment starts."""
    command = ConfirmOrder(order_id=order_id, owner_id=only_owner(sending.request))
    return changed(order_id, await sending.send(command, f"/orders/{order_id}/confirm", form))


@router.post(
    "/orders/{order_id}/cancel",
    response_model=Changed,
    responses=documented("command", "unknown-order", "order-already-shipped"),
    openapi_extra=does(Action.CANCEL_ORDER),
)
async def cancel_order(order_id: OrderPath, sending: Sending, form: CancelForm = NO_REASON) -> JSONResponse:
    """Cancels an order: at once where nothing was begun, else as soon as what was begun is undone."""
    reason = {"reason": form.reason} if form.reason else {}
    command = RequestCancellation(order_id=order_id, **reason)
    return changed(order_id, await sending.send(command, f"/orders/{order_id}/cancel", form))


@router.get(
    "/orders/{order_id}",
    response_model=OrderAnswer,
    responses=documented("query", "unknown-order"),
    openapi_extra=does(Action.READ_ORDER),
)
async def read_order(order_id: OrderPath, freshness: Annotated[Freshness, Query()], reading: Reading) -> JSONResponse:
    """An order as it stands."""
    read = await reading.row(order_summary.projection, order_id, freshness)
    if read.row is None or not reading.sees(read.row.customer_id):
        raise Unknown("order", order_id)
    return queries.answer(_order(read.row), read.token, read.row.version)


@router.get(
    "/customers/{customer_id}/orders",
    response_model=OrdersAnswer,
    responses=documented("list"),
    tags=["customers"],
    openapi_extra=does(Action.LIST_ORDERS_OF_CUSTOMER),
)
async def list_orders(
    customer_id: CustomerPath, listing: Annotated[OrdersListing, Query()], reading: Reading
) -> JSONResponse:
    """A customer's orders, newest first."""
    page = await reading.page(
        orders_by_customer.projection, _index(reading.listed(customer_id), listing.status), listing
    )
    rows = await reading.rows(orders_by_customer.projection, [entry.member for entry in page.entries], listing)
    orders = [_in_list(row) for row in rows if listing.status in {None, row.status}]
    return queries.answer(OrdersAnswer(orders=orders, next=tokens.write_cursor(page.next)), page.token)


def _index(customer_id: str, status: Status | None) -> str:
    if status is None:
        return orders_by_customer.of_customer(customer_id)
    return orders_by_customer.of_customer_in(status, customer_id)


def _order(row: OrderSummary) -> OrderAnswer:
    lines = [
        LineAnswer(line=item.line, sku=item.sku, quantity=item.quantity, unit_price=digits(item.unit_price))
        for item in row.items
    ]
    return OrderAnswer(
        id=row.id,
        customer_id=row.customer_id,
        account_id=row.account_id,
        status=row.status,
        currency=row.currency,
        total=digits(row.total),
        items=lines,
        item_count=row.item_count,
        reason=row.reason,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )


def _in_list(row: ListedOrder) -> OrderInList:
    return OrderInList(
        id=row.id,
        status=row.status,
        total=digits(row.total),
        currency=row.currency,
        item_count=row.item_count,
        created_at=row.created_at,
    )
