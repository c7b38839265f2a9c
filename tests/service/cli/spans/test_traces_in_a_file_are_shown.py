"""`foldstream spans`: which traces a file has, and the spans of one as a tree."""

import json
from pathlib import Path

import pytest

from service.telemetry.rotating_file import older_of
from tests.support.commands import ran
from tests.support.span_lines import TRACE, span_line

OTHER = "1" * 32


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """One trace of three spans, whose last has failed, and another of one; a line was cut off in between."""
    lines = [
        span_line("command ConfirmOrder", 2, parent=1),
        span_line("POST /orders", 9, trace=OTHER),
        span_line("append", 3, parent=2, status="ERROR"),
        span_line("command", 4)[:40],
        span_line("POST /orders/{order_id}/confirm", 1, parent=77),
    ]
    path = tmp_path / "traces.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_traces_are_listed_the_newest_last(file: Path) -> None:
    code, output, errors = ran("spans", str(file))
    assert (code, errors) == (0, [f"foldstream spans: {file}: 1 line is no span, the first is line 4"])
    assert [line.split() for line in output] == [
        ["trace", "began", "ms", "spans", "failed", "root"],
        [OTHER, "2026-07-01T00:00:09Z", "1500.0", "1", "0", "POST", "/orders"],
        [TRACE, "2026-07-01T00:00:01Z", "3500.0", "3", "1", "POST", "/orders/{order_id}/confirm"],
    ]


def test_no_more_are_listed_than_asked_for(file: Path) -> None:
    _, output, _ = ran("spans", str(file), "--limit", "1", "--json")
    assert json.loads("".join(output)) == {
        "traces": [
            {
                "trace": TRACE,
                "began": "2026-07-01T00:00:01Z",
                "seconds": 3.5,
                "spans": 3,
                "failed": 1,
                "root": "POST /orders/{order_id}/confirm",
            }
        ]
    }


def test_the_spans_of_one_are_a_tree(file: Path) -> None:
    code, output, _ = ran("spans", str(file), "0AF7")
    assert (code, output) == (
        0,
        [
            f"{TRACE}: 3 spans, 2026-07-01T00:00:01Z, 3500.0 ms",
            "└── POST /orders/{order_id}/confirm  api  +0.0 1500.0 ms  appended",
            "    └── command ConfirmOrder  api  +1000.0 1500.0 ms  appended",
            "        └── append  api  +2000.0 1500.0 ms  appended  FAILED",
        ],
    )


def test_the_spans_of_one_are_told_as_json(file: Path) -> None:
    _, output, _ = ran("spans", str(file), TRACE, "--json")
    told = json.loads("".join(output))
    assert [(span["name"], span["id"][-1], span["parent"]) for span in told["spans"]] == [
        ("POST /orders/{order_id}/confirm", "1", f"{77:016x}"),
        ("command ConfirmOrder", "2", f"{1:016x}"),
        ("append", "3", f"{2:016x}"),
    ]


@pytest.mark.parametrize(
    ("trace", "code", "said"),
    [
        ("", 2, "Invalid value for 'TRACE': '' is no id of a trace, nor the beginning of one: 1 to 32 of 0-9a-f"),
        ("xyz", 2, "Invalid value for 'TRACE': 'xyz' is no id of a trace, nor the beginning of one: 1 to 32 of 0-9a-f"),
        ("2", 1, "the file {file} can't be used: no trace in it begins with 2"),
    ],
)
def test_a_trace_that_is_not_there_is_refused(file: Path, trace: str, code: int, said: str) -> None:
    assert ran("spans", str(file), trace) == (code, [], [f"foldstream spans: {said.format(file=file)}"])


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    missing = tmp_path / "none.jsonl"
    said = f"foldstream spans: the file {missing} can't be used: No such file or directory"
    assert ran("spans", str(missing)) == (1, [], [said])


def test_the_older_file_is_read_while_the_new_one_is_not_there_yet(file: Path) -> None:
    _, both, _ = ran("spans", str(file))
    older = file.rename(older_of(file))
    code, output, errors = ran("spans", str(file))
    assert (code, output) == (0, both)
    assert errors == [f"foldstream spans: {older}: 1 line is no span, the first is line 4"]
