"""`python -m bench` measures each part of what it was asked for, and shows the figures beside their baselines."""

import json

import pytest

from bench.benches import BENCHES
from bench.figures import Extent, Figure, Run, compared, in_turns
from bench.report import as_json, as_markdown
from tests.bench.command import BENCH
from tests.support.processes import Listened

STORE = (
    "read_all, client as shipped",
    "read_all, tuned client",
    "catch-up, tuned client",
    "read_all, bare stub",
    "catch-up, 1 in 16 passes",
    "SQLite alone, one insert at a time",
    "appends by calls, one at a time",
    "appends by calls, 16 in flight",
    "appends by calls, 200 in flight",
    "appends on one call, one at a time",
    "appends on one call, 16 in flight",
    "appends on one call, 200 in flight",
    "catch-up, client as shipped",
    "persistent subscription, acknowledged",
    "start-up, empty log",
    "memory, empty log",
    "start-up, 1,000 events",
    "memory, 1,000 events",
)
WHILE_THEY_WAIT = ("wait, CPU of the API", "wait, commands at Redis")
ONCE_ANSWERED = ("woken by a commit, CPU of the API each", "for another category, CPU of the API each")


def test_the_bench_of_the_store_prints_a_table_of_its_figures() -> None:
    process = Listened((*BENCH, "store", "--part", "0.001"), {})
    assert process.wait(within=110) == 0
    title, _, *rows = process.output
    assert title.strip() == "store"
    assert tuple(row.split("  ")[0].strip() for row in rows[: len(STORE)]) == STORE
    assert [line.split()[0] for line in rows[len(STORE) :]][:2] == ["processor", "load"]


@pytest.mark.soak
def test_the_bench_of_waits_compares_many_queries_with_few() -> None:
    process = Listened((*BENCH, "projections/waits", "--part", "0.01", "--json"), {})
    assert process.wait(within=110) == 0
    figures = json.loads("".join(process.output))["benches"]["projections/waits"]
    assert [(figure["name"], figure["baseline"]) for figure in figures] == [
        (f"{number} queries {what}", f"10 queries {what}")
        for whats, numbers in ((WHILE_THEY_WAIT, (0, 10, 20)), (ONCE_ANSWERED, (10, 20)))
        for number in numbers
        for what in whats
    ]


def test_a_bench_that_there_is_not_is_refused_by_name() -> None:
    process = Listened((*BENCH, "nonsense"), {})
    assert process.wait(within=30) == 2
    assert process.errors == [f"bench: Invalid value: there is no bench 'nonsense'; there are: {', '.join(BENCHES)}"]


def test_a_part_that_there_is_not_is_refused_by_name() -> None:
    process = Listened((*BENCH, "store/nonsense"), {})
    assert process.wait(within=30) == 2
    parts = "reads, appends, deliveries, long logs"
    assert process.errors == [f"bench: Invalid value: store has no part 'nonsense'; there are: {parts}"]


def test_ways_take_turns_and_the_middle_run_of_each_counts() -> None:
    fast, slow = iter([10, 30, 20]), iter([1, 2, 3])
    runs = in_turns(
        {"fast": lambda: Run(next(fast), 1.0, 0.0, 0.1), "slow": lambda: Run(next(slow), 1.0, 0.5, 0.1)}, rounds=3
    )
    assert runs == {"fast": Run(20, 1.0, 0.0, 0.1), "slow": Run(2, 1.0, 0.5, 0.1)}
    assert list(compared(runs, "events/s", {"fast": "slow"})) == [
        Figure("fast", 20.0, "events/s", 10.0, "slow", "CPU each: 5000.0 µs"),
        Figure("slow", 2.0, "events/s", 1.0, "slow", "CPU each: server 250000.0 µs, client 50000.0 µs"),
    ]


def test_programs_get_the_same_as_json() -> None:
    figure = Figure("start-up, empty log", 0.5, "s", 1.0, "start-up, empty log")
    fields = {
        "name": figure.name,
        "value": 0.5,
        "unit": "s",
        "ratio": 1.0,
        "baseline": figure.name,
        "note": "",
        "aim": "",
    }
    assert json.loads(as_json({"load": "0.1"}, {"store": [figure]})) == {
        "machine": {"load": "0.1"},
        "benches": {"store": [{**fields, "note": "", "aim": ""}]},
    }


def test_a_page_gets_the_same_tables_as_markdown() -> None:
    read = Figure("read", 20_000.0, "events/s", 1.0, "read", "alone")
    folded = Figure("folded", 5_000.0, "events/s", 0.25, "read", aim="≥ 0.5")
    assert as_markdown({"load": "0.1", "python": "3.11"}, {"replay": [read, folded]}).splitlines() == [
        "**replay**",
        "",
        "| figure | value | ratio | aim | to | note |",
        "|---|---|---|---|---|---|",
        "| read | 20,000 events/s |  |  |  | alone |",
        "| folded | 5,000 events/s | 0.25 | ≥ 0.5 | read |  |",
        "",
        "load 0.1, python 3.11",
    ]


def test_a_part_of_the_extent_is_enough_to_see_that_it_works() -> None:
    assert (Extent(0.001).events(1_000_000), Extent(0.001).rounds, Extent(0.001).seconds) == (1000, 1, 0.1)
    assert (Extent().events(1_000_000), Extent().rounds, Extent().seconds) == (1_000_000, 3, 3.0)
