"""The events of the fulfilment of an order."""

from typing import TypeAlias

from pydantic import BaseModel, ConfigDict

from domain.message import Event
from domain.money import Money


class Reservation(BaseModel):
    """How much of one SKU the order needs, all its lines together."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sku: str
    quantity: int


class FulfilmentStarted(Event, name="FulfilmentStarted", version=1):
    order_id: str
    account_id: str
    total: Money
    reservations: tuple[Reservation, ...]


class GoodsSecured(Event, name="GoodsSecured", version=1):
    order_id: str
    sku: str


class GoodsMissing(Event, name="GoodsMissing", version=1):
    order_id: str
    sku: str

    @property
    def reason(self) -> str:
        return "out-of-stock"


class PaymentTaken(Event, name="PaymentTaken", version=1):
    order_id: str


class PaymentWaived(Event, name="PaymentWaived", version=1):
    order_id: str


class PaymentFailed(Event, name="PaymentFailed", version=1):
    order_id: str
    reason: str


class DispatchAgreed(Event, name="DispatchAgreed", version=1):
    order_id: str


class DispatchForbidden(Event, name="DispatchForbidden", version=1):
    order_id: str
    reason: str


class GoodsHandedOver(Event, name="GoodsHandedOver", version=1):
    order_id: str
    sku: str


class FulfilmentCompleted(Event, name="FulfilmentCompleted", version=1):
    order_id: str


class PaymentReturned(Event, name="PaymentReturned", version=1):
    order_id: str


class GoodsReturned(Event, name="GoodsReturned", version=1):
    order_id: str
    sku: str


class FulfilmentAbandoned(Event, name="FulfilmentAbandoned", version=1):
    order_id: str
    reason: str


FulfilmentProgress: TypeAlias = (
    GoodsSecured
    | GoodsMissing
    | PaymentTaken
    | PaymentWaived
    | PaymentFailed
    | DispatchAgreed
    | DispatchForbidden
    | GoodsHandedOver
    | FulfilmentCompleted
    | PaymentReturned
    | GoodsReturned
    | FulfilmentAbandoned
)
FulfilmentEvent: TypeAlias = FulfilmentStarted | FulfilmentProgress
