"""What a projection stores changes with its version alone: a worker goes on only where the one before it stopped."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from domain.message import Recorded
from domain.stock.stock import ReservationDeclined, StockReceived
from domain.value import changed, value
from projections.orders_by_customer import projection as orders
from projections.projection import IndexChange, Projection, Row, not_indexed, where_known
from projections.stock_levels import StockLevel
from projections.stock_levels import projection as stock_levels
from projections.sums import Counter
from service.consumers import PROJECTIONS
from tests.projections.fingerprints import RECORDED, fingerprint, objections, record_missing


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
def test_no_projection_changed_without_a_new_version(projection: Projection[Any]) -> None:
    assert objections(projection, RECORDED) == []


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
def test_every_version_up_to_today_s_is_recorded_and_none_after_it(projection: Projection[Any]) -> None:
    recorded = {path.name for path in RECORDED.glob(f"{projection.name}.*.json")}
    assert recorded == {f"{projection.name}.{version}.json" for version in range(1, projection.version + 1)}


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
def test_the_stories_tell_of_every_event_that_is_handled(projection: Projection[Any]) -> None:
    """Else a change of its handler would not show: without the handler, no story changes."""
    told = fingerprint(projection)["stories"]
    silent = [
        event.stored_name
        for event in projection.handlers
        if fingerprint(replace(projection, handlers=_without(projection, event)))["stories"] == told
    ]
    assert silent == []


def _without(projection: Projection[Any], event: type[Any]) -> dict[type[Any], Any]:
    return {each: handler for each, handler in projection.handlers.items() if each is not event}


LEVELS: Final[Projection[Any]] = stock_levels


def _doubled(row: StockLevel, recorded: Recorded[StockReceived]) -> StockLevel:
    return changed(row, on_hand=row.on_hand + 2 * recorded.event.quantity, version=recorded.version)


@value
class Nameless(Row):
    """A stock level whose SKU may be missing."""

    sku: str | None
    on_hand: int
    reserved: int
    available: int
    damaged: int
    version: int


def _no_entries(before: Row | None, after: Row | None) -> Iterable[IndexChange]:
    return not_indexed(before, after)


CHANGED: Final[dict[str, tuple[Projection[Any], Projection[Any], str]]] = {
    "a handler": (
        LEVELS,
        replace(LEVELS, handlers={**LEVELS.handlers, StockReceived: where_known(_doubled)}),
        "rows, index entries or sums of stock, stock-given-back changed",
    ),
    "the row": (LEVELS, replace(LEVELS, row=Nameless), 'became {"sku": {"or": ["string", "null"]}'),
    "the index": (orders, replace(orders, index=_no_entries), "rows, index entries or sums of order-"),
    "the sums": (
        LEVELS,
        replace(LEVELS, sums=lambda row: [Counter("stock", "on_hand", row.on_hand)]),
        "rows, index entries or sums of stock, stock-given-back changed",
    ),
    "what is ignored": (
        LEVELS,
        replace(LEVELS, handlers=_without(LEVELS, ReservationDeclined), ignored=frozenset({ReservationDeclined})),
        'ignored [] became ["ReservationDeclined"]',
    ),
    "the category": (LEVELS, replace(LEVELS, category="stock_of_old"), 'category "stock" became "stock_of_old"'),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_change_is_told_with_what_to_do_about_it(what: str, tmp_path: Path) -> None:
    before, after, told = CHANGED[what]
    record_missing([before], tmp_path)
    assert objections(before, tmp_path) == []
    [objection] = objections(after, tmp_path)
    assert objection.startswith(f"{before.name} is not what {before.name}.1.json says: ")
    assert told in objection
    assert objection.endswith(
        "If that is meant, declare `version=2` in the projection and record it by"
        " `python -m tests.projections.fingerprints`; what was released is never edited"
    )
    record_missing([after], tmp_path)
    assert objections(after, tmp_path) == [objection]


def test_a_new_version_is_recorded_beside_the_one_before(tmp_path: Path) -> None:
    record_missing([LEVELS], tmp_path)
    first = (tmp_path / "stock_levels.1.json").read_bytes()
    second = replace(LEVELS, version=2, row=Nameless)
    assert objections(second, tmp_path) == [
        "stock_levels.2.json is missing: record it by `python -m tests.projections.fingerprints`"
    ]
    record_missing([second], tmp_path)
    assert (objections(second, tmp_path), objections(LEVELS, tmp_path)) == ([], [])
    assert (tmp_path / "stock_levels.1.json").read_bytes() == first


@pytest.mark.parametrize("version", [0, -1, 1000])
def test_a_version_counts_from_one(version: int) -> None:
    with pytest.raises(ValueError, match=f"stock_levels: the version is {version}, it counts from 1 to 999"):
        replace(LEVELS, version=version)
