"""A file of traces that has become large is kept as the older one, whoever writes it; a full disk costs spans alone."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs
from structlog.typing import EventDict

from infrastructure.outages import CALM
from service.cli.spans.spans_file import Unreadable, spans_in
from service.telemetry.exporters import FileExporter
from service.telemetry.rotating_file import RotatingFile, older_of
from tests.support.polling import poll_until
from tests.support.small_disk import small_disk
from tests.support.span_lines import span_line

LARGEST: Final = 10_000
WRITERS: Final = 4
EACH: Final = 400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "traces.jsonl"


def line(text: str) -> bytes:
    return f"{text}\n".encode()


def test_one_that_is_large_becomes_the_older_one_in_place_of_the_one_before(path: Path) -> None:
    file = RotatingFile(path, largest=6)
    for text in ("one", "two", "three", "four", "five"):
        file.append(line(text))
    file.close()
    assert (older_of(path).read_text(encoding="utf-8"), path.read_text(encoding="utf-8")) == ("three\n", "four\nfive\n")


def test_another_process_follows_to_the_new_file_and_to_one_that_was_taken_away(path: Path) -> None:
    first, second = RotatingFile(path, largest=4), RotatingFile(path, largest=4)
    first.append(line("one"))
    first.append(line("two"))
    second.append(line("three"))
    assert (older_of(path).read_text(encoding="utf-8"), path.read_text(encoding="utf-8")) == ("two\n", "three\n")
    path.unlink()
    second.append(line("four"))
    first.append(line("5"))
    assert path.read_text(encoding="utf-8") == "5\n"
    assert older_of(path).read_text(encoding="utf-8") == "four\n"


def test_one_that_can_t_become_the_older_one_holds_up_no_other(path: Path) -> None:
    first, second = RotatingFile(path, largest=4), RotatingFile(path, largest=4)
    first.append(line("one"))
    older_of(path).mkdir()
    with pytest.raises(IsADirectoryError):
        first.append(line("two"))
    older_of(path).rmdir()
    second.append(line("three"))
    assert (older_of(path).read_text(encoding="utf-8"), path.read_text(encoding="utf-8")) == ("one\n", "three\n")


def test_many_writers_keep_it_bounded_and_its_lines_whole(path: Path) -> None:
    together = threading.Barrier(WRITERS, timeout=60)

    def write(number: int) -> None:
        file = RotatingFile(path, LARGEST)
        for count in range(EACH):
            together.wait()
            file.append(line(f"{number} {count:04} {'-' * 90}"))
        file.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    kept = [each.read_text(encoding="utf-8") for each in (older_of(path), path)]
    assert all(len(text) <= LARGEST + WRITERS * 100 for text in kept)
    lines = "".join(kept).splitlines()
    assert {len(each) for each in lines} == {97}
    for number in range(WRITERS):
        counts = [int(each.split()[1]) for each in lines if each.startswith(f"{number} ")]
        assert len(counts) > 20
        assert counts == list(range(counts[0], EACH))


def test_the_spans_of_both_are_read(path: Path) -> None:
    older_of(path).write_text(f"{span_line('first', 1)}\nno span\n", encoding="utf-8")
    path.write_text(f"no span\n{span_line('second', 2, 1)}\n", encoding="utf-8")
    unreadable = Unreadable()
    assert [span.name for span in spans_in(path, unreadable)] == ["first", "second"]
    assert unreadable == Unreadable(count=2, first=2, path=older_of(path))


def test_a_disk_that_is_full_costs_its_spans_and_is_told_once(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "8m") as disk:
        rest, exporter = disk / "rest", FileExporter(disk / "traces.jsonl", "FOLDSTREAM_TRACES_FILE")
        with capture_logs() as lines:
            assert exporter.export([span_called("before")]) is SpanExportResult.SUCCESS
            fill(rest)
            poll_until(lambda: fails(exporter) and fails(exporter), seconds=10, what="a full disk")
            rest.unlink()
            poll_until(lambda: not fails(exporter), seconds=10, what="a disk with room")
            poll_until(lambda: has_ended(exporter, lines), seconds=CALM + 20, what="the end of the outage")
        exporter.shutdown()
        began, *rest_told = of_the_file(lines)
        unreadable = Unreadable()
        names = [span.name for span in spans_in(disk / "traces.jsonl", unreadable)]
    assert [began["event"], *(each["event"] for each in rest_told)] == ["outage_began", "outage_ended"]
    assert "No space left on device" in began["reason"] or "bytes could be written" in began["reason"]
    assert (names[0], names[-1], unreadable.count <= 2) == ("before", "work", True)


def fails(exporter: FileExporter) -> bool:
    return exporter.export([span_called("work")] * 4) is SpanExportResult.FAILURE


def has_ended(exporter: FileExporter, lines: list[EventDict]) -> bool:
    return not fails(exporter) and len(of_the_file(lines)) > 1


def of_the_file(lines: list[EventDict]) -> list[EventDict]:
    """Threads of other tests may end late, and tell of their collectors."""
    return [each for each in lines if each.get("server") == "traces file"]


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as rest, suppress(OSError):
        while True:
            rest.write(bytes(4096))


def span_called(name: str) -> ReadableSpan:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer("test").start_span(name).end()
    [made] = exporter.get_finished_spans()
    return made
