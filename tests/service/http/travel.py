"""What tests of trips say all the time: a day's cars on offer, and what the saga that books trips would write."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import httpx

from domain.message import Event, Metadata
from infrastructure.eventstore.codec import EventCodec
from service.consumers import EVENTS
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.service.http.shop import done, new_name

OFFER: Final = {"capacity": 3, "price": "40.00", "currency": "EUR"}
CAR: Final = {"station": "OPO", "car_class": "compact", "from": "2026-07-01", "days": 3}
ROOM: Final = {"hotel": "porto-central", "room_type": "double", "from": "2026-07-01", "nights": 2, "rooms": 1}
SEATS: Final = {"flight": "TP571", "cabin": "economy", "departure": "2026-07-01", "seats": 2}
_CODEC: Final = EventCodec(EVENTS)


class Booker:
    """Writes what the saga would have the aggregates write, straight into their streams."""

    def __init__(self, operator: Operator) -> None:
        self._operator: Final = operator

    def writes(self, stream: str, *events: Event) -> str:
        """A token of where the last of these events stands."""
        records = [_CODEC.encode(event, _metadata(event)) for event in events]
        return str(self._operator.append(stream, *records))


@contextmanager
def booking(eventstore_uri: str) -> Iterator[Booker]:
    with operating(eventstore_uri) as operator:
        yield Booker(operator)


def new_cars() -> str:
    """The path of a day's cars that no other test offers."""
    return f"/cars/{new_name('lisbon')}/compact/2026-03-01"


def trip_form(**members: Any) -> dict[str, Any]:
    """The body of a request for a trip with seats alone, by a customer of its own."""
    return {"customer_id": new_name("ada"), "flight": SEATS, **members}


def new_trip(http: httpx.Client, **members: Any) -> str:
    """The id of a trip that was requested just now."""
    return str(done(http.post("/trips", json=trip_form(**members)))["id"])


def seen(http: httpx.Client, path: str, token: str, **parameters: Any) -> dict[str, Any]:
    """What the read model says once it has come that far."""
    answer = http.get(path, params={"at_least": token, "wait": 30, **parameters})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _metadata(event: Event) -> Metadata:
    command_id = uuid4()
    return Metadata(
        correlation_id=uuid4(),
        causation_id=command_id,
        command_id=command_id,
        digest="0" * 64,
        actor="saga:booking",
        tenant="default",
        schema_version=event.stored_version,
        time=datetime.now(UTC),
    )
