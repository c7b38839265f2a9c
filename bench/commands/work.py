"""The work that is measured: deposits on open accounts, and new orders of two items."""

from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias
from uuid import uuid4

from domain.accounts import account
from domain.accounts.account import Deposit, OpenAccount
from domain.decider import Decider
from domain.message import Command
from domain.ordering import order
from domain.ordering.order import CreateOrder, Item
from infrastructure.commands.handler import Bounds, CommandHandler
from infrastructure.commands.request import Request
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.record import NewRecord
from service.consumers import SNAPSHOTS

Kind: TypeAlias = Literal["deposits", "orders"]
CALLERS: Final = 64
CODEC: Final = EventCodec((*account.decider.events, *order.decider.events))
_DIGEST: Final = sha256(b"bench").hexdigest()


def handler_of(client: CommandClient) -> CommandHandler:
    """A handler with an empty cache."""
    return CommandHandler(client, CODEC, bounds=Bounds(calls_at_once=CALLERS), snapshots=SNAPSHOTS)


def open_account(account_id: str) -> OpenAccount:
    return OpenAccount(account_id=account_id, owner_id="bench", currency="EUR")


def deposit(account_id: str) -> Deposit:
    return Deposit(account_id=account_id, amount=Decimal("10.00"))


def create_order(order_id: str) -> CreateOrder:
    price = Decimal("12.50")
    items = tuple(Item(sku=sku, quantity=2, unit_price=price) for sku in ("lamp", "chair"))
    return CreateOrder(order_id=order_id, customer_id="bench", account_id=str(uuid4()), currency="EUR", items=items)


def request() -> Request:
    """A new request, as the service makes it for a person's command."""
    command_id = uuid4()
    return Request(
        command_id=command_id,
        digest=_DIGEST,
        correlation_id=uuid4(),
        causation_id=command_id,
        actor="bench",
        tenant="default",
        time=datetime.now(UTC),
    )


def opened(account_id: str) -> NewRecord:
    """The event that opens an account."""
    return _event(account.decider, open_account(account_id), account.decider.initial)


def deposited(account_id: str) -> NewRecord:
    """The event of a deposit."""
    decider = account.decider
    state = decider.fold(decider.decide(open_account(account_id), decider.initial))
    return _event(decider, deposit(account_id), state)


def ordered(order_id: str) -> NewRecord:
    """The event of a new order."""
    return _event(order.decider, create_order(order_id), order.decider.initial)


def _event(decider: Decider[Any, Any, Any], command: Command, state: object) -> NewRecord:
    (event,) = decider.decide(command, state)
    return CODEC.encode(event, request().metadata(event))
