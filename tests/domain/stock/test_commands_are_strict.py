"""Commands refuse what no SKU, order or quantity can be, before any rule is asked."""

from typing import Any, Final

import pytest
from pydantic import ValidationError

from domain.stock.stock import ReceiveStock, ReserveStock, WriteOffDamage
from tests.domain.values import ORDER

IMPROPER: Final[list[tuple[str, Any]]] = [
    ("sku", ""),
    ("sku", "la/mp"),
    ("quantity", 0),
    ("quantity", -4),
    ("quantity", "4"),
    ("quantity", True),
]


@pytest.mark.parametrize(("member", "value"), IMPROPER)
def test_what_is_improper_is_refused(member: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        ReceiveStock(**{"sku": "lamp", "quantity": 1, member: value})
    with pytest.raises(ValidationError):
        WriteOffDamage(**{"sku": "lamp", "quantity": 1, member: value})
    with pytest.raises(ValidationError):
        ReserveStock(**{"sku": "lamp", "quantity": 1, "order_id": ORDER, member: value})


def test_a_hundred_full_lines_of_one_sku_are_one_reservation() -> None:
    assert ReserveStock(sku="lamp", order_id=ORDER, quantity=100 * 1_000_000).quantity == 100_000_000
    with pytest.raises(ValidationError):
        ReceiveStock(sku="lamp", quantity=1_000_001)
