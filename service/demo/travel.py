"""The shop sells trips, too: what is on offer, which trips are booked and which are not, what customers are told."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from service.demo.dataset import identify
from service.demo.report import Report
from service.demo.shop import SETTLED_WITHIN, Shop

CONFIRMATION_SECONDS: Final = 4
"""How long trips of the demo wait for the airline's word."""
DAY: Final = "2027-07-01"
DAYS: Final = (DAY, "2027-07-02")
OFFERS: Final = {
    **{f"/cars/lisbon/small/{day}": {"capacity": 10, "price": "40.00", "currency": "EUR"} for day in DAYS},
    **{f"/rooms/alfama-inn/double/{day}": {"capacity": 3, "price": "95.00", "currency": "EUR"} for day in DAYS},
    f"/flights/TP571/economy/{DAY}": {"capacity": 120, "price": "89.00", "currency": "EUR"},
    f"/flights/JL44/business/{DAY}": {"capacity": 1, "price": "310000", "currency": "JPY"},
}
CAR: Final = {"station": "lisbon", "car_class": "small", "from": DAY, "days": 2}
ROOM: Final = {"hotel": "alfama-inn", "room_type": "double", "from": DAY, "nights": 2, "rooms": 2}
FLIGHT: Final = {"flight": "TP571", "cabin": "economy", "departure": DAY, "seats": 2}
LAST_SEAT: Final = {"flight": "JL44", "cabin": "business", "departure": DAY, "seats": 1}
CUSTOMER: Final = "cafe-harbour"


@dataclass(frozen=True, slots=True)
class PlannedTrip:
    """A trip to be requested, the word that follows, by its path, and how it is to end: `booked`, or the reason."""

    name: str
    parts: Mapping[str, Mapping[str, Any]]
    end: str
    word: str | None = None

    @property
    def trip_id(self) -> str:
        return identify("trip", self.name)

    @property
    def quantities(self) -> Counter[str]:
        """How many it needs of each offer, by the offer's path."""
        needed: Counter[str] = Counter()
        for part, wanted in self.parts.items():
            match part:
                case "car":
                    needed.update({f"/cars/{wanted['station']}/{wanted['car_class']}/{day}": 1 for day in DAYS})
                case "room":
                    path = f"/rooms/{wanted['hotel']}/{wanted['room_type']}"
                    needed.update({f"{path}/{day}": wanted["rooms"] for day in DAYS})
                case _:
                    needed[f"/flights/{wanted['flight']}/{wanted['cabin']}/{DAY}"] = wanted["seats"]
        return needed


CONFIRM, DECLINE, CANCEL = "flight/confirm", "flight/decline", "cancel"
FIRST: Final = (
    PlannedTrip("all of it", {"car": CAR, "room": ROOM, "flight": FLIGHT}, "booked", CONFIRM),
    PlannedTrip("the last seat", {"flight": LAST_SEAT}, "booked", CONFIRM),
)
THEN: Final = (
    PlannedTrip("by land", {"car": CAR}, "booked"),
    PlannedTrip("the hotel is full", {"car": CAR, "room": ROOM, "flight": FLIGHT}, "room-unavailable", CONFIRM),
    PlannedTrip("no seat is left", {"car": CAR, "flight": LAST_SEAT}, "flight-unavailable"),
    PlannedTrip("declined", {"car": CAR, "flight": FLIGHT}, "flight-declined", DECLINE),
    PlannedTrip("no word", {"car": CAR, "flight": FLIGHT}, "flight-not-confirmed"),
    PlannedTrip("given up", {"flight": FLIGHT}, "cancelled-by-customer", CANCEL),
)
PLANNED: Final = (*FIRST, *THEN)
FULL_HOTEL: Final = THEN[1]


async def trips(report: Report, shop: Shop) -> None:
    """Offers are made, trips requested, and each ends as the offers, the airline and the customer say."""
    for path, offer in OFFERS.items():
        shop.seen = (await shop.put(path, offer, key=f"offer-{path}"))["position"]
    for batch in (FIRST, THEN):
        await asyncio.gather(*(_request(shop, trip) for trip in batch))
        await _settled(shop, batch)
    ended = [await shop.get(f"/trips/{trip.trip_id}") for trip in PLANNED]
    told = (await shop.get(f"/customers/{CUSTOMER}/notifications"))["notifications"]
    _show(report, ended, told)
    _judge_ends(report, ended, told)
    await _judge_offers(report, shop)


async def _request(shop: Shop, trip: PlannedTrip) -> None:
    """The word may come at any time: before the seats are reserved it is kept."""
    form = {"id": trip.trip_id, "customer_id": CUSTOMER, **trip.parts}
    await shop.command("/trips", form, key=f"trip-{trip.trip_id}")
    if trip.word is not None:
        await shop.command(f"/trips/{trip.trip_id}/{trip.word}", key=f"word-{trip.trip_id}")


async def _settled(shop: Shop, batch: tuple[PlannedTrip, ...]) -> None:
    """Returns when none of them is under way any more; queries see that from now on."""
    expected = {trip.trip_id for trip in batch}
    async with asyncio.timeout(SETTLED_WITHIN):
        while not expected <= await _ended(shop):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.25)
    await shop.mark()


async def _ended(shop: Shop) -> set[str]:
    listed = (await shop.get(f"/customers/{CUSTOMER}/trips", limit="100"))["trips"]
    return {trip["id"] for trip in listed if trip["status"] != "pending"}


def _show(report: Report, ended: list[dict[str, Any]], told: list[dict[str, Any]]) -> None:
    rows = [
        (plan.name, ", ".join(plan.parts), _end(trip), _sum(trip)) for plan, trip in zip(PLANNED, ended, strict=True)
    ]
    report.table(["trip", "parts", "end", "total"], rows, right=("total",))
    names = {plan.trip_id: plan.name for plan in PLANNED}
    lines = [(each["at"], each["kind"], names.get(each["trip_id"]), each["reason"] or "") for each in told]
    report.table(["at", "notification", "trip", "reason"], lines)


def _end(trip: Mapping[str, Any]) -> str:
    return str(trip["reason"] or trip["status"])


def _sum(trip: Mapping[str, Any]) -> str:
    return ", ".join(f"{money['amount']} {money['currency']}" for money in trip["total"])


def _judge_ends(report: Report, ended: list[dict[str, Any]], told: list[dict[str, Any]]) -> None:
    wrong = [f"{plan.name}: {_end(trip)}" for plan, trip in zip(PLANNED, ended, strict=True) if _end(trip) != plan.end]
    report.check(f"all {len(PLANNED)} trips ended as they had to", not wrong, "; ".join(wrong))
    expected = Counter((plan.trip_id, "booked" if plan.end == "booked" else "cancelled") for plan in PLANNED)
    said = Counter((each["trip_id"], each["kind"].removeprefix("trip-")) for each in told)
    report.check("each trip left one notification: it is booked, or it is cancelled", said == expected, str(said))
    prices = {path: (Decimal(str(offer["price"])), offer["currency"]) for path, offer in OFFERS.items()}
    sums = [_sum(trip) for plan, trip in zip(PLANNED, ended, strict=True) if plan.end == "booked"]
    due = [_price(plan, prices) for plan in PLANNED if plan.end == "booked"]
    report.check("each booked trip costs what its parts cost, by currency", sums == due, f"{sums}, not {due}")


def _price(plan: PlannedTrip, prices: Mapping[str, tuple[Decimal, object]]) -> str:
    total: defaultdict[object, Decimal] = defaultdict(Decimal)
    for path, quantity in plan.quantities.items():
        price, currency = prices[path]
        total[currency] += price * quantity
    return ", ".join(f"{amount} {currency}" for currency, amount in total.items())


async def _judge_offers(report: Report, shop: Shop) -> None:
    """What booked trips have is confirmed, nothing else is taken."""
    sold = sum((plan.quantities for plan in PLANNED if plan.end == "booked"), Counter[str]())
    wrong, rows = [], []
    for path, offer in OFFERS.items():
        found = await shop.get(path)
        taken = found["reserved"], found["confirmed"], found["available"]
        rows.append((path, offer["capacity"], *taken))
        if taken != (0, sold[path], int(str(offer["capacity"])) - sold[path]):
            wrong.append(f"{path}: {taken}")
    numbers = ("capacity", "reserved", "confirmed", "available")
    report.table(["offer", *numbers], rows, numbers)
    report.check("every offer: booked trips have what they need, all else was given back", not wrong, "; ".join(wrong))
