"""An allotment: the capacity and price of one kind for one day, and how many each trip holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from domain.money import Money

Capacity: TypeAlias = Annotated[int, Field(ge=0, le=10_000)]  # none: no more is sold
Shortage: TypeAlias = Literal["not-offered", "reserved-otherwise", "sold-out"]


@dataclass(frozen=True, slots=True)
class Hold:
    """What one trip has reserved; once confirmed it is sold for good."""

    quantity: int
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Allotment:
    """The state of every part of a trip. `price` is for one, None before the first offer.

    Every hold takes at least one of the capacity, which bounds how many holds there are.
    """

    capacity: int = 0
    price: Money | None = None
    holds: Mapping[str, Hold] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        return sum(hold.quantity for hold in self.holds.values())

    @property
    def available(self) -> int:
        return self.capacity - self.taken

    def quote(self, trip_id: str, quantity: int) -> Money | Shortage:
        """What `quantity` cost together, or why this trip can't have them."""
        if self.price is None:
            return "not-offered"
        if trip_id in self.holds:
            return "reserved-otherwise"
        if quantity > self.available:
            return "sold-out"
        return self.price.times(quantity)

    def holds_exactly(self, trip_id: str, quantity: int) -> bool:
        hold = self.holds.get(trip_id)
        return hold is not None and hold.quantity == quantity

    def offered(self, capacity: int, price: Money) -> "Allotment":
        return replace(self, capacity=capacity, price=price)

    def reserved(self, trip_id: str, quantity: int) -> "Allotment":
        return replace(self, holds={**self.holds, trip_id: Hold(quantity)})

    def confirmed(self, trip_id: str, quantity: int) -> "Allotment":
        return replace(self, holds={**self.holds, trip_id: Hold(quantity, confirmed=True)})

    def released(self, trip_id: str) -> "Allotment":
        return replace(self, holds={key: hold for key, hold in self.holds.items() if key != trip_id})
