"""`python -m bench projections` compares replays with reading the log, and says what each stage of one costs."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bench.benches import BENCHES
from bench.projections.dashboard import WIDGETS, dashboard_figures
from bench.store.log import fill_streams
from bench.store.server import StoreServer
from domain.stream_name import stream_name
from infrastructure.embedded.eventstoredb.storage.record import PendingRecord
from tests.bench.command import BENCH
from tests.support.processes import Listened

STAGES = ("read", "decoder", "view", "lookup", "fold", "commit", "rest")
LIVE = [
    ("event appended, p50", "ms", ""),
    ("event appended, p99", "ms", ""),
    ("row readable after that, p50", "ms", "≤ 3"),
    ("row readable after that, p99", "ms", "≤ 3"),
]


def figures_of(part: str, environment: dict[str, str], within: float = 100) -> tuple[list[Any], list[str]]:
    """The figures of a part of the bench, and the lines that it wrote meanwhile."""
    process = Listened((*BENCH, part, "--part", "0.005", "--json"), environment)
    assert process.wait(within=within) == 0
    return json.loads("\n".join(process.output))["benches"][part], process.errors


def replayed(writing: str, aim: str) -> list[tuple[str, str, str]]:
    """Names, baselines and aims."""
    read, whole = f"{writing}, read by the tuned client", f"{writing}, the worker's processor time"
    memory = f"{writing}, memory of the worker"
    return [
        (read, read, ""),
        (f"{writing}, folded into two read models", read, aim),
        (memory, memory, "≤ 200 MB"),
        (whole, whole, ""),
        *((f"{writing}, stage: {stage}", whole, "") for stage in STAGES),
    ]


@pytest.mark.soak
def test_a_replay_stands_beside_reading_the_log_and_its_stages_beside_the_replay() -> None:
    figures, _ = figures_of("projections/replay", {})
    found = [(figure["name"], figure["baseline"], figure["aim"]) for figure in figures]
    assert found == replayed("stream by stream", "≥ 0.5") + replayed("interleaved", "≥ 0.3")
    costs = [figure["value"] for figure in figures if figure["unit"] == "µs"]
    assert costs[0] == pytest.approx(sum(costs[1 : len(costs) // 2]))


def test_a_widget_stands_beside_the_summary_of_an_order() -> None:
    costs = {"order_summary": 4.0, **{name: float(number) for number, name in enumerate(WIDGETS, 1)}}
    figures = list(dashboard_figures(costs, {"read": 10.0, "decoder": 2.0, "commit": 5.0}))
    assert [(figure.name.removeprefix("dashboard, "), figure.value, figure.ratio) for figure in figures] == [
        ("read and decoded, once for all", 12.0, 3.0),
        ("order_summary", 4.0, 1.0),
        ("revenue_by_day", 1.0, 0.25),
        ("orders_by_status", 2.0, 0.5),
        ("average_basket", 3.0, 0.75),
        ("top_products", 4.0, 1.0),
        ("conversion", 5.0, 1.25),
        ("fulfilment_time", 6.0, 1.5),
        ("all widgets", 21.0, 5.25),
    ]


@pytest.mark.soak
def test_a_log_is_added_to_a_store_that_holds_orders_and_folded_from_there(tmp_path: Path) -> None:
    broken = PendingRecord(uuid4(), "OrderCreated", True, b"{}", b"{}")
    fill_streams(tmp_path, [(stream_name("order", str(uuid4())), [broken])])
    with StoreServer(tmp_path) as store:
        figures, errors = figures_of("projections/live", {"FOLDSTREAM_EVENTSTORE_URI": store.uri})
        assert [(figure["name"], figure["unit"], figure["aim"]) for figure in figures] == LIVE
        told = f"projections: adds streams with new ids to the store at {store.target}, which stay there"
        assert errors == ["projections: live …", told]


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_every_part_of_the_bench_of_projections_is_measured(tmp_path: Path) -> None:
    figures, errors = figures_of("projections", {"HOME": str(tmp_path)}, within=800)
    titles = [f"projections: {part} …" for part in BENCHES["projections"]]
    titles.insert(2, "projections: not compared with eventsourcing: it is not installed")
    assert errors == titles
    assert [figure["name"] for figure in figures if not figure["value"] > 0 and "stage" not in figure["name"]] == []
