"""`python -m bench commands` compares our handler with whatever is there, and says of the rest why it isn't."""

import json
import sys
from pathlib import Path

import pytest

from bench.commands.installation import NotInstalled, Peer
from bench.commands.worker import Worker
from service.errors import ChildRefused
from tests.bench.command import BENCH
from tests.support.processes import Listened

FIGURES = [
    ("deposits, one call, nothing decided", "commands/s", "deposits, one call, nothing decided"),
    ("deposits, Foldstream", "commands/s", "deposits, one call, nothing decided"),
    ("new orders, one call, nothing decided", "commands/s", "new orders, one call, nothing decided"),
    ("new orders, Foldstream", "commands/s", "new orders, one call, nothing decided"),
    ("deposit, handled", "µs", "deposit, handled"),
    ("deposit, parse", "µs", "deposit, handled"),
    ("deposit, decide", "µs", "deposit, handled"),
    ("deposit, encode", "µs", "deposit, handled"),
    ("deposit, fold", "µs", "deposit, handled"),
    ("deposit, answer", "µs", "deposit, handled"),
    ("deposit, append", "µs", "deposit, handled"),
    ("cold command, 100 events", "ms", "cold command, 100 events"),
    ("cold command, 200 events", "ms", "cold command, 100 events"),
    ("as-of by time, round trips, 100 events", "reads", "as-of by time, round trips, 100 events"),
    ("as-of by time, round trips, 200 events", "reads", "as-of by time, round trips, 100 events"),
    ("as-of by time, 100 events", "ms", "as-of by time, 100 events"),
    ("as-of by time, 200 events", "ms", "as-of by time, 100 events"),
    ("deposit, p50", "ms", "deposit, p50"),
    ("deposit beside old keys, p50", "ms", "deposit, p50"),
    ("deposit, p95", "ms", "deposit, p95"),
    ("deposit beside old keys, p95", "ms", "deposit, p95"),
    ("old keys, answered", "commands/s", "old keys, answered"),
    ("hot account, one process", "commands/s", "hot account, one process"),
    ("hot account, one process, p50", "ms", "hot account, one process, p50"),
    ("hot account, one process, p95", "ms", "hot account, one process, p50"),
    ("hot account, two processes", "commands/s", "hot account, one process"),
    ("hot account, two processes, p50", "ms", "hot account, two processes, p50"),
    ("hot account, two processes, p95", "ms", "hot account, two processes, p50"),
    ("hot account, four processes", "commands/s", "hot account, one process"),
    ("hot account, four processes, p50", "ms", "hot account, four processes, p50"),
    ("hot account, four processes, p95", "ms", "hot account, four processes, p50"),
    ("crowd, offered", "commands/s", "crowd, offered"),
    ("crowd, accepted", "commands/s", "crowd, offered"),
    ("crowd, memory after a quarter of the time", "MB", "crowd, memory after a quarter of the time"),
    ("crowd, memory at the end", "MB", "crowd, memory after a quarter of the time"),
]
WITH_PYTHON = (sys.executable, "-c")


@pytest.mark.soak
def test_the_bench_of_commands_goes_on_without_the_libraries_that_are_not_there(tmp_path: Path) -> None:
    process = Listened((*BENCH, "commands", "--part", "0.001", "--json"), {"HOME": str(tmp_path)})
    assert process.wait(within=110) == 0
    assert process.errors == [
        "commands: throughput …",
        "commands: not compared with eventsourcing: it is not installed",
        "commands: not compared with Emmett: it is not installed",
        "commands: stages …",
        "commands: long streams …",
        "commands: old keys …",
        "commands: hot account …",
        "commands: overload …",
    ]
    figures = json.loads("\n".join(process.output))["benches"]["commands"]
    assert [(figure["name"], figure["unit"], figure["baseline"]) for figure in figures] == FIGURES
    assert [figure["name"] for figure in figures if not figure["value"] > 0] == []


def peer(*steps: str, runtime: str = sys.executable) -> Peer:
    """One that is installed by running these programs of Python."""
    return Peer("peer", "package.json", "emmett_peer.mjs", tuple((*WITH_PYTHON, step) for step in steps), runtime)


def test_a_library_is_installed_once_and_then_used_again(tmp_path: Path) -> None:
    program = str(tmp_path / "peer" / "emmett_peer.mjs")
    first = peer("open('made', 'w')").command(tmp_path, install=True)
    again = peer("raise SystemExit(1)").command(tmp_path, install=False)
    assert (first, again) == ([sys.executable, program], [sys.executable, program])
    assert sorted(path.name for path in (tmp_path / "peer").iterdir()) == [
        "emmett_peer.mjs",
        "installed",
        "made",
        "package.json",
    ]


def test_other_pins_are_installed_anew(tmp_path: Path) -> None:
    peer("open('made', 'w')").command(tmp_path, install=True)
    (tmp_path / "peer" / "installed").write_text("of another time", encoding="utf-8")
    with pytest.raises(NotInstalled, match="it is not installed"):
        peer().command(tmp_path, install=False)
    peer("open('made-anew', 'w')").command(tmp_path, install=True)
    assert [path.name for path in (tmp_path / "peer").glob("made*")] == ["made-anew"]


def test_what_can_not_be_installed_says_why_and_is_tried_again(tmp_path: Path) -> None:
    with pytest.raises(NotInstalled, match=r"\Ano such version\Z"):
        peer("raise SystemExit('no such version')").command(tmp_path, install=True)
    with pytest.raises(NotInstalled, match=r"\Athere is no foldstream-npm\Z"):
        peer(runtime="foldstream-npm").command(tmp_path, install=True)
    assert peer().command(tmp_path, install=True)[0] == sys.executable


ECHO = """
import json, sys
print('{"versions": {"echo": "1"}}', flush=True)
for line in sys.stdin:
    print(json.dumps({"told": line}), flush=True)
"""


def test_a_worker_answers_line_by_line() -> None:
    with Worker("echo", [*WITH_PYTHON, ECHO]) as worker:
        assert worker.versions == {"echo": "1"}
        assert worker.ask("deposits", 0.5) == {"told": "deposits 0.5\n"}
        assert worker.ask("orders", 2) == {"told": "orders 2\n"}


def test_a_worker_that_ends_too_early_is_named() -> None:
    with pytest.raises(ChildRefused, match=r"\Aecho does not start: it ended with exit code 3\Z"):
        Worker("echo", [*WITH_PYTHON, "raise SystemExit(3)"]).__enter__()
