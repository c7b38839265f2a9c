"""What two tenants write under the same ids comes to the same as if each had a log of its own."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Final

import pytest
from hypothesis import given, settings

from domain.stream_name import StreamName
from projections.projection import Projection
from service.consumers import PROJECTIONS
from tests.projections.random_logs import logs
from tests.support.folded_redis import FoldedRedis
from tests.support.log import Log, recorded
from tests.support.projection_spec import Members, Outcome, made_of
from tests.support.split_log import Split, in_batches, splits

CATEGORIES: Final = sorted({projection.category for projection in PROJECTIONS})


def of_category(category: str) -> list[Projection[Any]]:
    return [projection for projection in PROJECTIONS if projection.category == category]


def by_turns(default: Log, acme: Log) -> Log:
    """The events of the default tenant, and between them those of another one under the same ids."""

    def events() -> Iterator[tuple[str, Any]]:
        for own, other in zip_longest(default, acme):
            if own is not None:
                yield own
            if other is not None:
                yield f"acme/{other[0]}", other[1]

    return list(events())


def apart(projection: Projection[Any], log: Log) -> Outcome[Any]:
    """Each tenant's by itself, and then beside each other."""
    events = recorded(projection.category, log)
    own, other = (
        made_of(projection, [each for each in events if StreamName.parse(each.stream).tenant == tenant])
        for tenant in ("default", "acme")
    )
    rows = {f"acme/{aggregate_id}": row for aggregate_id, row in other.rows.items()}
    entries = {own_name(projection, name): members for name, members in other.entries.items()}
    sums = {own_group(projection, name): members for name, members in other.sums.items()}
    return Outcome({**own.rows, **rows}, beside(own.entries, entries), beside(own.sums, sums))


def own_name(projection: Projection[Any], name: str) -> str:
    return name if name in projection.shared else f"acme/{name}"


def own_group(projection: Projection[Any], stored: str) -> str:
    kind, _, group = stored.partition(":")
    return f"{kind}:{own_name(projection, group)}"


def beside(own: Members, other: Members) -> Members:
    """What is of all tenants together is added up; entries of two of them never are one."""
    together = {name: dict(members) for name, members in own.items()}
    for name, members in other.items():
        into = together.setdefault(name, {})
        for member, number in members.items():
            into[member] = into.get(member, 0) + number
    return together


@pytest.mark.parametrize("category", CATEGORIES)
def test_it_is_so_in_memory(category: str) -> None:
    @given(logs(category), logs(category), splits())
    @settings(max_examples=6)
    def is_so(default: Log, acme: Log, split: Split) -> None:
        log = by_turns(default, acme)
        for projection in of_category(category):
            assert in_batches(projection, log, split) == apart(projection, log)

    is_so()


@pytest.mark.parametrize("category", CATEGORIES)
def test_it_is_so_in_redis(category: str, folded_redis: FoldedRedis) -> None:
    @given(logs(category), logs(category), splits())
    @settings(max_examples=2)
    def is_so(default: Log, acme: Log, split: Split) -> None:
        log = by_turns(default, acme)
        for projection in of_category(category):
            assert folded_redis.fold(projection, log, split) == apart(projection, log)

    is_so()


@pytest.mark.parametrize("category", CATEGORIES)
def test_no_index_and_no_group_of_one_tenant_is_called_as_if_it_were_another_s(category: str) -> None:
    @given(logs(category))
    @settings(max_examples=6)
    def is_so(log: Log) -> None:
        for projection in of_category(category):
            made = made_of(projection, recorded(category, log))
            assert [name for name in (*made.entries, *made.sums) if "/" in name] == []

    is_so()
