"""The body of a request for a trip: a car, a room and seats, any of them but at least one."""

from datetime import date
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, model_validator

from domain.trips.trip_commands import (
    LATEST,
    Days,
    Places,
    RequestTrip,
    WantedCar,
    WantedRoom,
    WantedSeats,
)
from service.http.endpoints.forms import Body, Flight, Name, Uuid
from service.http.endpoints.parameters import Day


def _not_too_late(day: date) -> date:
    if day > LATEST:
        raise ValueError(f"should be {LATEST} or earlier")
    return day


FirstDay: TypeAlias = Annotated[Day, AfterValidator(_not_too_late)]


class CarForm(Body):
    """One car for so many days, the first of which is `from`."""

    station: Name
    car_class: Name
    from_: FirstDay = Field(alias="from")
    days: Days

    def wanted(self) -> WantedCar:
        """The same as the domain takes it."""
        return WantedCar(station=self.station, car_class=self.car_class, from_day=self.from_, days=self.days)


class RoomForm(Body):
    """So many rooms for so many nights, the first of which is `from`."""

    hotel: Name
    room_type: Name
    from_: FirstDay = Field(alias="from")
    nights: Days
    rooms: Places

    def wanted(self) -> WantedRoom:
        """The same as the domain takes it."""
        return WantedRoom(
            hotel=self.hotel, room_type=self.room_type, from_night=self.from_, nights=self.nights, rooms=self.rooms
        )


class FlightForm(Body):
    """So many seats."""

    flight: Flight
    cabin: Name
    departure: Day
    seats: Places

    def wanted(self) -> WantedSeats:
        """The same as the domain takes it."""
        return WantedSeats(flight=self.flight, cabin=self.cabin, departure=self.departure, seats=self.seats)


_PARTS: Final[list[JsonValue]] = [
    {"required": [part], "properties": {part: {"type": "object"}}} for part in ("car", "room", "flight")
]


class TripForm(Body):
    """A trip to book. Without an `id` it gets one."""

    model_config = ConfigDict(json_schema_extra={"anyOf": _PARTS})

    id: Uuid = Field(default_factory=str)
    customer_id: Name
    car: CarForm | None = None
    room: RoomForm | None = None
    flight: FlightForm | None = None

    @model_validator(mode="after")
    def _has_a_part(self) -> "TripForm":
        if self.car is None and self.room is None and self.flight is None:
            raise ValueError("should have a car, a room or a flight")
        return self

    def request(self, trip_id: str) -> RequestTrip:
        """The same as the domain takes it."""
        return RequestTrip(
            trip_id=trip_id,
            customer_id=self.customer_id,
            car=None if self.car is None else self.car.wanted(),
            room=None if self.room is None else self.room.wanted(),
            flight=None if self.flight is None else self.flight.wanted(),
        )
