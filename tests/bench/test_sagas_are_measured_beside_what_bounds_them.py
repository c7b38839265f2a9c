"""`python -m bench sagas` compares steps with bare deliveries, and an order's way with a single append."""

import json

import pytest

from tests.bench.command import BENCH
from tests.support.processes import Listened

ONE = "sagas, 500 orders at once, one worker"
RAW = "persistent subscription, acknowledged"
APPENDED = "confirmation appended, p50"
READ = "100,000 open deadlines, read by the tuned client"
FIGURES = [
    (RAW, RAW, ""),
    (ONE, RAW, "≥ 0.1"),
    ("sagas, 200 orders of one SKU at once", ONE, ""),
    ("sagas, orders of 100 lines at once", ONE, ""),
    ("sagas, 500 orders at once, two workers", ONE, "≥ 1.4"),
    (APPENDED, APPENDED, ""),
    ("shipped after that, p50", APPENDED, "≤ 12"),
    ("shipped after that, p99", APPENDED, "≤ 40"),
    (READ, READ, ""),
    ("100,000 open deadlines, their index is built", READ, ""),
    ("100,000 open deadlines, found in the log", READ, ""),
]


def measured(part: str) -> list[tuple[str, str, str]]:
    """Names, baselines and aims of a part of the bench, none of whose figures is nothing."""
    process = Listened((*BENCH, part, "--part", "0.01", "--json"), {})
    assert process.wait(within=110) == 0
    figures = json.loads("\n".join(process.output))["benches"][part]
    assert [figure["name"] for figure in figures if not figure["value"] > 0] == []
    return [(figure["name"], figure["baseline"], figure["aim"]) for figure in figures]


@pytest.mark.soak
def test_deadlines_stand_beside_reading_the_log() -> None:
    assert measured("sagas/deadlines") == FIGURES[-3:]


@pytest.mark.soak
def test_steps_stand_beside_deliveries_and_the_way_of_an_order_beside_an_append() -> None:
    assert measured("sagas") == FIGURES
