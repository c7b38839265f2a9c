"""The upcaster of stock: damaged was once called written off."""

from collections.abc import Sequence
from typing import Final

from typing_extensions import TypedDict  # pydantic can't read that of `typing` before Python 3.12

from domain.upcasting import Stored, Upcaster


class _StockWrittenOffV1(TypedDict):
    sku: str
    count: int


def _damaged(old: _StockWrittenOffV1) -> Sequence[Stored]:
    return (Stored("StockDamaged", 1, {"sku": old["sku"], "quantity": old["count"]}),)


DAMAGED: Final = (Upcaster("StockWrittenOff", 1, _StockWrittenOffV1, _damaged),)
