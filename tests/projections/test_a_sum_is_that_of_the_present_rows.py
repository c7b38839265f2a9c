"""What rows contribute is added with them and taken off again: a sum is at any time that of the present rows."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.value import value
from projections.projection import Row
from projections.sums import MOST, Contribution, Counter, Place, Ranked, add_change, add_row, not_summed, observe


@value
class Sale(Row):
    day: str
    cents: int
    skus: tuple[str, ...]
    seconds: int


def contributions(row: Sale) -> Iterable[Contribution]:
    yield Counter("orders", row.day)
    yield Counter("revenue", row.day, row.cents)
    yield observe("time", row.seconds)
    for sku in row.skus:
        yield Ranked("products", sku)


SALE = Sale("monday", 1990, ("lamp", "lamp", "desk"), 70)


def changes(before: Any, after: Any, sums: Any = contributions) -> dict[Place, int]:
    found: dict[Place, int] = {}
    add_change(sums, before, after, found)
    return {place: by for place, by in found.items() if by}


def test_a_new_row_adds_what_it_contributes() -> None:
    assert changes(None, SALE) == {
        ("sum:orders", "monday"): 1,
        ("sum:revenue", "monday"): 1990,
        ("sum:time", "214"): 1,
        ("ranked:products", "lamp"): 2,
        ("ranked:products", "desk"): 1,
    }


def test_a_row_that_ends_takes_all_of_it_off_again() -> None:
    assert changes(SALE, None) == {place: -by for place, by in changes(None, SALE).items()}


def test_a_row_that_changes_moves_only_what_differs() -> None:
    assert changes(SALE, Sale("tuesday", 1990, ("lamp",), 70)) == {
        ("sum:orders", "monday"): -1,
        ("sum:orders", "tuesday"): 1,
        ("sum:revenue", "monday"): -1990,
        ("sum:revenue", "tuesday"): 1990,
        ("ranked:products", "lamp"): -1,
        ("ranked:products", "desk"): -1,
    }


def test_a_row_that_stays_the_same_changes_nothing() -> None:
    assert changes(SALE, SALE) == {}
    assert changes(SALE, None, not_summed) == {}


SALES = st.builds(
    Sale,
    st.sampled_from("mtw"),
    st.integers(-500, 500),
    st.lists(st.sampled_from("abc")).map(tuple),
    st.integers(-9, MOST),
)


@given(st.lists(st.none() | SALES))
def test_whatever_a_row_becomes_the_sum_is_that_of_the_last_one(rows: list[Sale | None]) -> None:
    found: dict[Place, int] = {}
    for before, after in zip([None, *rows], rows, strict=False):
        add_change(contributions, before, after, found)
    expected: dict[Place, int] = {}
    if rows and rows[-1] is not None:
        add_row(contributions, rows[-1], expected)
    assert {place: by for place, by in found.items() if by} == {place: by for place, by in expected.items() if by}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Counter("revenue", "monday", 1.5), "1.5 can't be added to monday of revenue: it is no integer from -90"),  # type: ignore[arg-type]  # wrong on purpose
        (Counter("revenue", "monday", True), "True can't be added"),
        (Counter("revenue", "monday", MOST + 1), f"{MOST + 1} can't be added"),
        (Ranked("products", "lamp", -1), "-1 can't be added to lamp of products: it is no integer from 0 to 90"),
    ],
)
def test_what_can_not_be_summed_exactly_is_refused(wrong: Contribution, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}"):
        changes(None, SALE, lambda row: [wrong])
