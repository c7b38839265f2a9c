"""How many processes of `serve` fold: one for each processor, but no more than there is work for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import Settings
from service.supervisor.programs import ServeContext, workers


def folding(settings: Settings) -> list[str]:
    """The names of the processes that fold."""
    context = ServeContext(Path("data"), settings, Path("redis.sock"), 2113, 3, "http://127.0.0.1:1", 4, 5, "json")
    return [program.name for program in workers(context) if program.kind == "projections"]


@pytest.fixture
def one_processor() -> Iterator[None]:
    """For this thread alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


@pytest.mark.usefixtures("one_processor")
def test_on_one_processor_it_is_one_which_has_no_number() -> None:
    assert folding(Settings(partitions=16)) == ["projections"]


def test_each_processor_has_one_where_there_are_partitions_enough() -> None:
    processors = len(os.sched_getaffinity(0))
    assert len(folding(Settings(partitions=16))) == min(processors, 16)


def test_there_are_no_more_than_partitions_of_all_categories() -> None:
    assert len(folding(Settings(partitions=1))) == min(len(os.sched_getaffinity(0)), 3)


@pytest.mark.usefixtures("one_processor")
def test_a_number_that_is_set_counts_whatever_the_machine_has() -> None:
    assert folding(Settings(projection_workers=1)) == ["projections"]
    assert folding(Settings(projection_workers=3)) == ["projections-1", "projections-2", "projections-3"]
