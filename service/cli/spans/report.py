"""Prints the traces of a file: which there are, or the spans of one as a tree."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from infrastructure.terminal import print_error, print_json, print_json_list, print_raw, printable
from infrastructure.times import time_text
from service.cli.spans.spans_file import Span, Unreadable, spans_in
from service.cli.tree_lines import Branch, Branches, tree_lines
from service.errors import FileUnusable
from service.tables import print_table

_HELD: Final = 20_000  # traces in memory; one that goes on after so many others is listed anew
_COLUMNS: Final = ("trace", "began", "ms", "spans", "failed", "root")
_SHOWN: Final = ("http.response.status_code", "foldstream.outcome", "error.type", "foldstream.stream")


@dataclass(slots=True)
class Trace:
    """What is known of one from its spans so far. `root` is the name of the one that began first."""

    id: str
    began: datetime
    ended: datetime
    root: str
    spans: int = 0
    failed: int = 0

    def take(self, span: Span) -> None:
        """Adds a span."""
        if span.began <= self.began:
            self.began, self.root = span.began, span.name
        self.ended = max(self.ended, span.ended)
        self.spans += 1
        self.failed += span.failed


def print_traces(path: Path, limit: int, *, as_json: bool) -> int:
    """The `limit` traces whose spans ended last, the newest last. Raises FileUnusable."""
    found, unreadable = OrderedDict[str, Trace](), Unreadable()
    for span in spans_in(path, unreadable):
        trace = found.pop(span.trace, None) or Trace(span.trace, span.began, span.ended, span.name)
        trace.take(span)
        found[span.trace] = trace
        if len(found) > _HELD:
            found.popitem(last=False)
    newest = list(found.values())[-limit:]
    if as_json:
        print_json_list(map(_answer, newest), "traces")
    else:
        print_table(_COLUMNS, map(_row, newest))
    _tell(path, unreadable)
    return 0


def print_spans(path: Path, trace: str, *, as_json: bool) -> int:
    """The spans of the trace whose id begins so, as a tree. Raises FileUnusable, also where not one trace is meant."""
    unreadable, spans = Unreadable(), list[Span]()
    for span in spans_in(path, unreadable):
        if not span.trace.startswith(trace.lower()):
            continue
        if spans and span.trace != spans[0].trace:
            raise FileUnusable(path, f"several traces in it begin with {trace}")
        spans.append(span)
    if not spans:
        raise FileUnusable(path, f"no trace in it begins with {trace}")
    spans.sort(key=lambda span: span.began)
    if as_json:
        print_json({"trace": spans[0].trace, "spans": [span.model_dump(mode="json") for span in spans]})
    else:
        for line in _lines(spans):
            if not print_raw(line):
                break
    _tell(path, unreadable)
    return 0


def _lines(spans: Sequence[Span]) -> Iterator[str]:
    began = spans[0].began
    lasted = max(span.ended for span in spans) - began
    yield printable(f"{spans[0].trace}: {len(spans):,} spans, {time_text(began)}, {_millis(lasted)} ms")
    known, below = {span.id for span in spans}, defaultdict[str | None, list[Span]](list)
    for span in spans:
        below[span.parent if span.parent in known else None].append(span)
    yield from tree_lines(_branches(below[None], below, began))


def _branches(spans: Iterable[Span], below: Mapping[str | None, Sequence[Span]], began: datetime) -> Branches:
    for span in spans:
        said = [str(span.attributes[name]) for name in _SHOWN if name in span.attributes]
        when = f"+{_millis(span.began - began)} {_millis(span.lasted)} ms"
        label = "  ".join([span.name, span.service.removeprefix("foldstream-"), when, *said])
        children = partial(_branches, below.get(span.id, ()), below, began)
        yield Branch(label + ("  FAILED" if span.failed else ""), children)


def _millis(lasted: timedelta) -> str:
    return f"{lasted / timedelta(milliseconds=1):.1f}"


def _row(trace: Trace) -> Sequence[object]:
    lasted = _millis(trace.ended - trace.began)
    return trace.id, time_text(trace.began), lasted, trace.spans, trace.failed, trace.root


def _answer(trace: Trace) -> dict[str, object]:
    seconds = (trace.ended - trace.began).total_seconds()
    counts = {"spans": trace.spans, "failed": trace.failed, "root": trace.root}
    return {"trace": trace.id, "began": time_text(trace.began), "seconds": seconds, **counts}


def _tell(path: Path, unreadable: Unreadable) -> None:
    if unreadable.count:
        lines = "1 line is no span" if unreadable.count == 1 else f"{unreadable.count:,} lines are no spans"
        print_error(f"foldstream spans: {path}: {lines}, the first is line {unreadable.first:,}")
