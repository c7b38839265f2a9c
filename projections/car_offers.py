"""How many cars of one class are for rent at one station on one day, and how many of them trips have."""

from typing import Final

from domain.trips.car import CAR
from projections.offer import Offer, handlers_of
from projections.projection import Projection

projection: Final = Projection[Offer](
    name="car_offers",
    category="car",
    row=Offer,
    handlers=handlers_of(CAR),
    ignored=frozenset({CAR.introduced}),
)
