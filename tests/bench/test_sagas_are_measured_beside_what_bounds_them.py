"""`python -m bench sagas` compares steps with bare deliveries, and an order's way with a single append."""

import json

from tests.bench.command import BENCH
from tests.support.processes import Listened

ONE = "sagas, 500 orders at once, one worker"
RAW = "persistent subscription, acknowledged"
APPENDED = "confirmation appended, p50"
FIGURES = [
    (RAW, RAW, ""),
    (ONE, RAW, "≥ 0.1"),
    ("sagas, 200 orders of one SKU at once", ONE, ""),
    ("sagas, orders of 100 lines at once", ONE, ""),
    ("sagas, 500 orders at once, two workers", ONE, "≥ 1.4"),
    (APPENDED, APPENDED, ""),
    ("shipped after that, p50", APPENDED, "≤ 12"),
    ("shipped after that, p99", APPENDED, "≤ 40"),
]


def test_a_saga_stands_beside_deliveries_and_appends() -> None:
    process = Listened((*BENCH, "sagas", "--part", "0.01", "--json"), {})
    assert process.wait(within=110) == 0
    figures = json.loads("\n".join(process.output))["benches"]["sagas"]
    assert [(figure["name"], figure["baseline"], figure["aim"]) for figure in figures] == FIGURES
    assert all(figure["value"] > 0 for figure in figures)
