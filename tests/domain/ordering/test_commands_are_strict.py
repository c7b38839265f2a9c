"""Commands refuse what no id, name, quantity, price or reason can be, before any rule is asked."""

from decimal import Decimal
from typing import Any, Final

import pytest
from pydantic import ValidationError

from domain.ordering.order import AddItem, CancelOrder, ConfirmOrder, CreateOrder, Item, RequestCancellation
from tests.domain.values import ACCOUNT, ORDER

PROPER: Final[dict[str, Any]] = {"order_id": ORDER, "sku": "lamp", "quantity": 1, "unit_price": Decimal("1.00")}
IMPROPER: Final[list[tuple[str, Any]]] = [
    ("order_id", "o-1"),
    ("order_id", ORDER.replace("-", "")),
    ("order_id", "ABCDEF00-0000-4000-8000-000000000001"),
    ("order_id", f"{ORDER}\n"),
    ("sku", ""),
    ("sku", "s" * 65),
    ("sku", "la mp"),
    ("sku", "lämp"),
    ("sku", "lamp\n"),
    ("quantity", 0),
    ("quantity", -1),
    ("quantity", 1_000_001),
    ("quantity", "1"),
    ("quantity", 1.0),
    ("quantity", True),
    ("unit_price", 1.0),
    ("unit_price", "1.00"),
    ("unit_price", Decimal("-0.01")),
    ("unit_price", Decimal("NaN")),
    ("unit_price", Decimal("sNaN")),
    ("unit_price", Decimal("Infinity")),
    ("unit_price", Decimal("1000000000000.00")),
    ("currency", "EUR"),
]


def test_what_is_proper_is_taken() -> None:
    assert AddItem(**PROPER).aggregate_id == ORDER
    assert AddItem(**{**PROPER, "sku": "A.z_0:9-" + "s" * 56, "quantity": 1_000_000}).quantity == 1_000_000
    assert AddItem(**{**PROPER, "unit_price": Decimal("999999999999.99")}).unit_price == Decimal("999999999999.99")


@pytest.mark.parametrize(("member", "value"), IMPROPER)
def test_what_is_improper_is_refused(member: str, value: object) -> None:
    with pytest.raises(ValidationError):
        AddItem(**{**PROPER, member: value})


@pytest.mark.parametrize("count", [0, 101])
def test_an_order_is_created_with_one_to_a_hundred_items(count: int) -> None:
    items = (Item(sku="lamp", quantity=1, unit_price=Decimal("1.00")),) * count
    with pytest.raises(ValidationError):
        CreateOrder(order_id=ORDER, customer_id="ada", account_id=ACCOUNT, currency="EUR", items=items)


@pytest.mark.parametrize("reason", ["", "r" * 201])
def test_a_reason_has_one_to_two_hundred_characters(reason: str) -> None:
    with pytest.raises(ValidationError):
        RequestCancellation(order_id=ORDER, reason=reason)
    with pytest.raises(ValidationError):
        CancelOrder(order_id=ORDER, reason=reason)


def test_a_command_does_not_change() -> None:
    with pytest.raises(ValidationError):
        ConfirmOrder(order_id=ORDER).__setattr__("order_id", ACCOUNT)
