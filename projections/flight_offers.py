"""How many seats are for sale in one cabin of one flight, and how many of them trips have."""

from typing import Final

from domain.trips.flight import FLIGHT
from projections.offer import Offer, handlers_of
from projections.projection import Projection

projection: Final = Projection[Offer](
    name="flight_offers",
    category="flight",
    row=Offer,
    handlers=handlers_of(FLIGHT),
    ignored=frozenset({FLIGHT.introduced}),
)
