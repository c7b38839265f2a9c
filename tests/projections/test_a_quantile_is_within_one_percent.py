"""A sketch's quantiles are within 1 % of the exact ones, whatever was added, taken off again, or merged."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.sketch import LARGEST, bucket_of, quantile

VALUES = st.lists(st.integers(-10, 10**4) | st.integers(0, LARGEST), min_size=1)


def sketch_of(values: list[int]) -> Counter[str]:
    return Counter(map(bucket_of, values))


def exact(values: list[int], q: float) -> int:
    return sorted(max(0, value) for value in values)[int(q * (len(values) - 1))]


@given(VALUES, st.floats(0, 1))
def test_every_quantile_is_within_one_percent_of_the_exact_one(values: list[int], q: float) -> None:
    assert quantile(sketch_of(values), q) == pytest.approx(exact(values, q), rel=0.010001, abs=0)


@given(VALUES, VALUES)
def test_what_is_taken_off_again_was_never_there(stays: list[int], goes: list[int]) -> None:
    found = sketch_of(stays + goes)
    found.subtract(sketch_of(goes))
    assert +found == sketch_of(stays)


def test_a_negative_value_counts_as_zero() -> None:
    assert (bucket_of(-5), quantile({bucket_of(-5): 1}, 0.5)) == ("0", 0.0)


def test_values_that_differ_by_less_than_two_percent_may_share_a_bucket() -> None:
    assert bucket_of(103_000) == bucket_of(104_800)
    assert bucket_of(103_000) != bucket_of(105_000)


def test_a_sketch_has_some_two_thousand_buckets_at_most() -> None:
    assert bucket_of(LARGEST) == "1838"


@pytest.mark.parametrize("wrong", [LARGEST + 1, 1.5, True])
def test_what_no_bucket_holds_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match=f"^{wrong} can't be observed: it is no integer up to {LARGEST}$"):
        bucket_of(wrong)


def test_where_nothing_was_observed_there_is_no_quantile() -> None:
    for nothing in ({}, {"5": 0}, {"5": -1}):
        with pytest.raises(ValueError, match="nothing was observed"):
            quantile(nothing, 0.5)
