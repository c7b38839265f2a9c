"""How many rooms of one type are for sale in one hotel for one night, and how many of them trips have."""

from typing import Final

from domain.trips.room import ROOM
from projections.offer import Offer, handlers_of
from projections.projection import Projection

projection: Final = Projection[Offer](
    name="room_offers",
    category="room",
    row=Offer,
    handlers=handlers_of(ROOM),
    ignored=frozenset({ROOM.introduced}),
)
