"""Streams are named in one place, and every one belongs to exactly one partition."""

import re
from uuid import uuid4

import pytest

from domain.stream_name import segment_stream, snapshot_stream, source_stream_of, stream_name
from infrastructure.eventstore.stream_patterns import (
    PARTITION_COUNTS,
    category_pattern,
    derived_pattern,
    partition_of,
    partition_pattern,
)


def test_a_stream_is_named_after_its_category_and_id() -> None:
    assert stream_name("order", "0000-a") == "order-0000-a"


@pytest.mark.parametrize("aggregate_id", ["", "lamp", "A1F", "0-"])
def test_an_id_that_no_partition_holds_is_refused(aggregate_id: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal digit"):
        stream_name("order", aggregate_id)


@pytest.mark.parametrize("category", ["", "Order", "order-line", "$ce"])
def test_a_category_that_could_be_mistaken_is_refused(category: str) -> None:
    with pytest.raises(ValueError, match="category"):
        stream_name(category, "0")


@pytest.mark.parametrize("partitions", PARTITION_COUNTS)
def test_every_stream_matches_its_own_partition_and_no_other(partitions: int) -> None:
    for digit in "0123456789abcdef":
        aggregate_id = f"{str(uuid4())[:-1]}{digit}"
        matching = [
            partition
            for partition in range(partitions)
            if re.search(f"^{partition_pattern('order', partition, partitions)}$", f"order-{aggregate_id}")
        ]
        assert matching == [partition_of(aggregate_id, partitions)]


def test_a_partition_matches_no_other_category() -> None:
    pattern = f"^{partition_pattern('order', 0, 1)}$"
    others = ("orders-0", "preorder-0", "$$order-0", "fulfilment-order-0")
    assert [name for name in others if re.search(pattern, name)] == []


@pytest.mark.parametrize(("tenant", "matching"), [(None, "abc"), ("default", "a"), ("acme", "b"), ("a", "")])
def test_a_pattern_of_a_tenant_matches_its_streams_alone(tenant: str | None, matching: str) -> None:
    pattern = f"^{category_pattern(['order'], tenant)}$"
    names = ("order-a", "acme.order-b", "acme_2.order-c", "acmexorder-d", "default.order-e")
    assert "".join(name[-1] for name in names if re.search(pattern, name)) == matching


def test_snapshots_and_segments_of_a_tenant_s_stream_are_found_as_those_of_others() -> None:
    derived = [name("acme.order-a") for name in (snapshot_stream, segment_stream)]
    assert [source_stream_of(name) for name in derived] == ["acme.order-a"] * 2
    assert all(re.search(f"^{derived_pattern(['order'])}$", name) for name in derived)
    assert not any(re.search(f"^{category_pattern(['order'])}$", name) for name in derived)


def test_a_tenant_that_can_not_be_is_refused() -> None:
    with pytest.raises(ValueError, match="a tenant is a lower-case word"):
        category_pattern(["order"], ".*")


def test_partitions_that_can_not_be_are_refused() -> None:
    with pytest.raises(ValueError, match="possible numbers of partitions"):
        partition_of("0", 3)
    with pytest.raises(ValueError, match="no number 2"):
        partition_pattern("order", 2, 2)
