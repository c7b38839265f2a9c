"""Path parts and bodies of requests, each validated before anything is looked up."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from domain import terms
from domain.money import DECIMALS, Currency
from domain.ordering.order import MOST_LINES, Item
from domain.terms import Quantity, Reason
from domain.trips.allotment import Capacity
from domain.trips.flight import FlightNumber
from service.http.endpoints.parameters import LARGEST, Day, spelled, whole_number
from service.http.problems import Fault, Problem, malformed

_HEX: Final = "[0-9a-fA-F]"
UUID_FORM: Final = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
UUID_SCHEMA: Final = WithJsonSchema({"type": "string", "format": "uuid"})
Uuid: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=f"^{UUID_FORM}$", to_lower=True),
    spelled("should be a UUID of 32 hexadecimal digits, with hyphens after the 8th, 12th, 16th and 20th"),
    UUID_SCHEMA,
]
Name: TypeAlias = Annotated[terms.Name, spelled("should be 1 to 64 of A-Z a-z 0-9 . _ : -")]
OrderPath: TypeAlias = Annotated[Uuid, Path()]
AccountPath: TypeAlias = Annotated[Uuid, Path()]
TripPath: TypeAlias = Annotated[Uuid, Path()]
CustomerPath: TypeAlias = Annotated[Name, Path()]
SkuPath: TypeAlias = Annotated[Name, Path()]
NamePath: TypeAlias = Annotated[Name, Path()]
DayPath: TypeAlias = Annotated[Day, Path()]
Flight: TypeAlias = Annotated[
    FlightNumber, spelled("should be a flight number such as TP1: a carrier of two characters, then 1 to 4 digits")
]
FlightPath: TypeAlias = Annotated[Flight, Path()]


LinePath: TypeAlias = Annotated[
    int, whole_number(1), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LARGEST}), Path()
]


def _positive(digits: str) -> str:
    if not Decimal(digits):
        raise ValueError("should be more than zero")
    return digits


# What some currency can express; the form or the stream knows which currency it is.
Digits: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{2})?$"),
    spelled("should be 1 to 12 digits, with two decimals or none, such as 12 or 12.50"),
]
Amount: TypeAlias = Annotated[
    Digits, AfterValidator(_positive), Field(json_schema_extra={"not": {"pattern": "^[0.]*$"}})
]


def _as_its_currency_has(*names: str, in_items: str | None = None) -> dict[str, Any]:
    """The schema of an object whose `currency` says how many decimals these members have, or those of its items."""

    def members(decimals: int) -> dict[str, Any]:
        digits = r"^[0-9]+\.[0-9]{2}$" if decimals else "^[0-9]+$"
        said = {name: {"pattern": digits} for name in names}
        return said if in_items is None else {in_items: {"items": {"properties": said}}}

    def choice(decimals: int) -> dict[str, Any]:
        currencies = [currency for currency, its in DECIMALS.items() if its == decimals]
        return {"properties": {"currency": {"enum": currencies}, **members(decimals)}}

    return {"anyOf": [choice(decimals) for decimals in sorted(set(DECIMALS.values()))]}


class Body(BaseModel):
    """A body of exactly these members, each of exactly its type."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Nothing(Body):
    """A body that says nothing, for commands that need none."""


class ItemForm(Body):
    """What is ordered, at which price for one."""

    sku: Name
    quantity: Quantity
    unit_price: Digits

    @property
    def price(self) -> Decimal:
        return Decimal(self.unit_price)


class OrderForm(Body):
    """An order to create. Without an `id` it gets one."""

    model_config = ConfigDict(json_schema_extra=_as_its_currency_has("unit_price", in_items="items"))

    id: Uuid = Field(default_factory=str)
    customer_id: Name
    account_id: Uuid
    currency: Currency
    items: Annotated[list[ItemForm], Field(min_length=1, max_length=MOST_LINES)]

    def priced_items(self) -> tuple[Item, ...]:
        """The items as the domain takes them. Raises Problem `malformed` for prices that the currency can't express."""
        prices = {f"/items/{number}/unit_price": item.unit_price for number, item in enumerate(self.items)}
        require_expressible(self.currency, prices)
        return tuple(Item(sku=item.sku, quantity=item.quantity, unit_price=item.price) for item in self.items)


class CancelForm(Body):
    """Why it is cancelled, in the customer's words."""

    reason: Reason = Field(default_factory=str)


NOTHING: Final = Nothing()
NO_REASON: Final = CancelForm()


class QuantityForm(Body):
    """So many of a SKU."""

    quantity: Quantity


class AccountForm(Body):
    """An account to open. Without an `id` it gets one; without a `credit_limit` it has none."""

    model_config = ConfigDict(json_schema_extra=_as_its_currency_has("credit_limit"))

    id: Uuid = Field(default_factory=str)
    owner_id: Name
    currency: Currency
    credit_limit: Digits = Field(default_factory=str)

    def limit(self) -> Decimal | None:
        """How far the account may go below zero. Raises Problem `malformed` for what the currency can't express."""
        if not self.credit_limit:
            return None
        require_expressible(self.currency, {"/credit_limit": self.credit_limit})
        return Decimal(self.credit_limit)


class OfferForm(Body):
    """So many of a kind for one day, at this price for one."""

    model_config = ConfigDict(json_schema_extra=_as_its_currency_has("price"))

    capacity: Capacity
    price: Digits
    currency: Currency

    def money(self) -> Decimal:
        """The price of one. Raises Problem `malformed` for what the currency can't express."""
        require_expressible(self.currency, {"/price": self.price})
        return Decimal(self.price)


class AmountForm(Body):
    """So much money, in the account's currency."""

    amount: Amount

    @property
    def money(self) -> Decimal:
        return Decimal(self.amount)


def require_expressible(currency: Currency, digits: dict[str, str]) -> None:
    """Raises Problem `malformed` with the pointers of those digits that this currency can't express."""
    decimals = DECIMALS[currency]
    faults = [
        Fault(pointer=pointer, reason=f"{currency} has {decimals} decimals, not those of {text}")
        for pointer, text in digits.items()
        if len(text.partition(".")[2]) != decimals
    ]
    if faults:
        raise malformed(faults)


@contextmanager
def digits_at(pointer: str) -> Iterator[None]:
    """Adds the pointer to a refusal of digits, which only the stored currency of the order or account can give."""
    try:
        yield
    except Problem as problem:
        if problem.rule != "malformed":
            raise
        raise malformed([Fault(pointer=pointer, reason=str(problem.__cause__))]) from problem
