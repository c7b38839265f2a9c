"""The shop sells trips, too: what is on offer, who has asked for a trip, and what the customers are told."""

from typing import Any, Final

from service.demo.dataset import identify
from service.demo.report import Report
from service.demo.shop import Shop

DAY: Final = "2027-07-01"
OFFERS: Final = {
    f"/cars/lisbon/small/{DAY}": {"capacity": 5, "price": "40.00", "currency": "EUR"},
    f"/rooms/alfama-inn/double/{DAY}": {"capacity": 3, "price": "95.00", "currency": "EUR"},
    f"/flights/TP571/economy/{DAY}": {"capacity": 120, "price": "89.00", "currency": "EUR"},
}
FLIGHT: Final = {"flight": "TP571", "cabin": "economy", "departure": DAY, "seats": 2}
CAR: Final = {"station": "lisbon", "car_class": "small", "from": DAY, "days": 1}
CUSTOMER: Final = "cafe-harbour"


async def trips(report: Report, shop: Shop) -> None:
    """Offers are made, and two trips requested: the airline confirms the flight of one, the other is cancelled."""
    for path, offer in OFFERS.items():
        shop.seen = (await shop.put(path, offer, key=f"offer-{path}"))["position"]
    offers = [(path, await shop.get(path)) for path in OFFERS]
    numbers = ("capacity", "price", "available")
    report.table(["offer", *numbers], [[path, *(offer[name] for name in numbers)] for path, offer in offers], numbers)
    kept, cancelled = await _request(shop, "kept", FLIGHT), await _request(shop, "cancelled", FLIGHT, CAR)
    await shop.command(f"/trips/{kept}/flight/confirm", key="confirm-flight")
    shop.seen = (await shop.command(f"/trips/{cancelled}/cancel", key="cancel-trip"))["position"]
    await _judge(report, shop, kept, cancelled)


async def _request(shop: Shop, name: str, flight: dict[str, Any], car: dict[str, Any] | None = None) -> str:
    """A new trip's id."""
    trip: dict[str, Any] = {"id": identify("trip", name), "customer_id": CUSTOMER, "flight": flight}
    answer = await shop.command("/trips", trip if car is None else trip | {"car": car}, key=f"trip-{name}")
    return str(answer["id"])


async def _judge(report: Report, shop: Shop, kept: str, cancelled: str) -> None:
    page = await shop.get(f"/customers/{CUSTOMER}/trips")
    found = {trip["id"]: trip["status"] for trip in page["trips"]}
    report.check("each trip is as its stream says", found == {kept: "pending", cancelled: "cancelled"}, str(found))
    told = (await shop.get(f"/customers/{CUSTOMER}/notifications"))["notifications"]
    said = [(each["kind"], each["trip_id"]) for each in told]
    report.check("whose trip was cancelled is told once", said == [("trip-cancelled", cancelled)], str(said))
