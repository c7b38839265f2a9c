"""A log that is folded in any partitions and batches, some of these twice, comes to the same as event by event."""

from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis.errors import NoSuchExample

from projections.projection import Projection
from service.consumers import PROJECTIONS
from tests.projections.random_logs import events_of, logs
from tests.support.folded_redis import FoldedRedis
from tests.support.log import Log
from tests.support.projection_spec import one_by_one
from tests.support.split_log import Split, in_batches, splits

CATEGORIES: Final = sorted({projection.category for projection in PROJECTIONS})
SEARCH: Final = settings(deadline=None, max_examples=2_000, database=None, phases=[Phase.generate])


def of_category(category: str) -> list[Projection[Any]]:
    return [projection for projection in PROJECTIONS if projection.category == category]


@pytest.mark.parametrize("category", CATEGORIES)
def test_random_logs_come_to_every_event_of_their_category(category: str) -> None:
    missing = set(events_of(category))

    def completes(log: Log) -> bool:
        missing.difference_update(type(event) for _, event in log)
        return not missing

    with suppress(NoSuchExample):
        find(logs(category), completes, settings=SEARCH)
    assert missing == set()


@pytest.mark.parametrize("examples", [25, pytest.param(2_000, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
@pytest.mark.parametrize("category", CATEGORIES)
def test_it_is_so_in_memory(category: str, examples: int) -> None:
    @given(logs(category), splits())
    @settings(max_examples=examples)
    def is_so(log: Log, split: Split) -> None:
        for projection in of_category(category):
            assert in_batches(projection, log, split) == one_by_one(projection, log)

    is_so()


@pytest.mark.parametrize("category", CATEGORIES)
def test_it_is_so_in_redis(category: str, folded_redis: FoldedRedis) -> None:
    @given(logs(category), splits())
    @settings(max_examples=4)
    def is_so(log: Log, split: Split) -> None:
        for projection in of_category(category):
            assert folded_redis.fold(projection, log, split) == one_by_one(projection, log)

    is_so()
