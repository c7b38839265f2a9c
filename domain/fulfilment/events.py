"""The events of the fulfilment of an order."""

from typing import TypeAlias

from domain.message import Event, LaterText, stored_as
from domain.money import Money
from domain.value import value


@value
class Reservation:
    """How much of one SKU the order needs, all its lines together."""

    sku: str
    quantity: int


@stored_as(name="FulfilmentStarted", version=1)
class FulfilmentStarted(Event):
    """With an `owner_id` the account that is charged must be this owner's."""

    order_id: str
    account_id: str
    total: Money
    reservations: tuple[Reservation, ...]
    owner_id: LaterText = None


@stored_as(name="GoodsSecured", version=1)
class GoodsSecured(Event):
    order_id: str
    sku: str


@stored_as(name="GoodsMissing", version=1)
class GoodsMissing(Event):
    order_id: str
    sku: str

    @property
    def reason(self) -> str:
        return "out-of-stock"


@stored_as(name="PaymentTaken", version=1)
class PaymentTaken(Event):
    """Version 1 of the saga says it so."""

    order_id: str


@stored_as(name="PaymentCollected", version=1)
class PaymentCollected(Event):
    """Version 2 says it so: `charge_id` is the id of the account's event."""

    order_id: str
    charge_id: str


@stored_as(name="PaymentWaived", version=1)
class PaymentWaived(Event):
    order_id: str


@stored_as(name="PaymentFailed", version=1)
class PaymentFailed(Event):
    order_id: str
    reason: str


@stored_as(name="DispatchAgreed", version=1)
class DispatchAgreed(Event):
    order_id: str


@stored_as(name="DispatchForbidden", version=1)
class DispatchForbidden(Event):
    order_id: str
    reason: str


@stored_as(name="GoodsHandedOver", version=1)
class GoodsHandedOver(Event):
    order_id: str
    sku: str


@stored_as(name="FulfilmentCompleted", version=1)
class FulfilmentCompleted(Event):
    order_id: str


@stored_as(name="PaymentReturned", version=1)
class PaymentReturned(Event):
    order_id: str


@stored_as(name="GoodsReturned", version=1)
class GoodsReturned(Event):
    order_id: str
    sku: str


@stored_as(name="FulfilmentAbandoned", version=1)
class FulfilmentAbandoned(Event):
    order_id: str
    reason: str


@stored_as(name="FulfilmentRecalled", version=1)
class FulfilmentRecalled(Event):
    """An operator has ordered that it be undone."""

    order_id: str
    reason: str


FulfilmentProgress: TypeAlias = (
    GoodsSecured
    | GoodsMissing
    | PaymentTaken
    | PaymentCollected
    | PaymentWaived
    | PaymentFailed
    | DispatchAgreed
    | DispatchForbidden
    | GoodsHandedOver
    | FulfilmentCompleted
    | PaymentReturned
    | GoodsReturned
    | FulfilmentAbandoned
    | FulfilmentRecalled
)
FulfilmentEvent: TypeAlias = FulfilmentStarted | FulfilmentProgress
