"""What the spans of a command cost, beside the command, where tracing is off and where spans go into a file."""

from collections.abc import Iterator
from contextlib import ExitStack
from time import process_time
from typing import Final

from bench.commands.work import CALLERS
from bench.commands.worker import foldstream
from bench.figures import Extent, Figure
from bench.store.server import StoreServer, temporary_folder
from infrastructure.telemetry.spans import span
from infrastructure.telemetry.trace_context import current_trace
from service.settings import Settings
from service.telemetry.process_traces import recording_traces

_TIMES: Final = 10_000
_HANDLED: Final = "deposit, handled"
_OFF_AIM: Final = "at most 0.02"


def measure_traces(extent: Extent) -> Iterator[Figure]:
    """CPU time for each, in µs: handling a deposit for 64 callers at once with tracing off, and its spans alone.

    The spans are those of the request, the command, its decision and its append, and the trace in the metadata.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        server = stack.enter_context(StoreServer(folder / "log"))
        run = stack.enter_context(foldstream(server.uri, CALLERS)).run(server, "deposits", extent.seconds)
        handled = 1e6 * run.client_cpu / run.count
        off = _cost(extent)
        with recording_traces(Settings(traces_file=str(folder / "traces.jsonl")), "bench"):
            on = _cost(extent)
    yield Figure(_HANDLED, handled, "µs", 1.0, _HANDLED)
    yield Figure("its spans, off", off, "µs", off / handled, _HANDLED, aim=_OFF_AIM)
    yield Figure("its spans, into a file", on, "µs", on / handled, _HANDLED)


def _cost(extent: Extent) -> float:
    times = extent.events(_TIMES)
    began = process_time()
    for _ in range(times):
        _spans_of_a_deposit()
    return 1e6 * (process_time() - began) / times


def _spans_of_a_deposit() -> None:
    with span("POST"), span("command Deposit", {"foldstream.stream": "account-a"}) as recorded:
        with span("decide"):
            pass
        current_trace()
        with span("append", {"foldstream.events": 1}):
            pass
        recorded.set_attribute("foldstream.outcome", "appended")
