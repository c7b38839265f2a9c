"""A process that is offered ten times as many commands as it can handle: what it accepts, and its memory."""

import sys
from collections.abc import Iterator
from typing import Final

from bench.commands.work import CALLERS
from bench.commands.worker import Worker
from bench.figures import Extent, Figure
from bench.store.server import StoreServer, temporary_folder

_RATE: Final = 10_000
_SECONDS: Final = 20.0
_MEGABYTE: Final = 1024 * 1024
_OFFERED, _ACCEPTED = "crowd, offered", "crowd, accepted"
_QUARTER, _END = "crowd, memory after a quarter of the time", "crowd, memory at the end"


def measure_overload(extent: Extent) -> Iterator[Figure]:
    """Offers 10,000 commands a second for twenty seconds; 64 are admitted at once."""
    seconds = max(0.5, _SECONDS * extent.part)
    with temporary_folder() as folder, StoreServer(folder / "log") as server:
        command = [sys.executable, "-m", "bench.commands.overload_worker", server.uri, str(CALLERS)]
        with Worker("crowd", command) as worker:
            worker.ask(str(_RATE), seconds)
            did = worker.answer(seconds)
    offered, accepted = did["accepted"] + did["refused"] + did["failed"], did["accepted"]
    rates = {_OFFERED: offered / did["seconds"], _ACCEPTED: accepted / did["seconds"]}
    note = f"{CALLERS} let in at once; {did['refused']:,} refused at once, {did['failed']:,} failed"
    yield Figure(_OFFERED, rates[_OFFERED], "commands/s", 1.0, _OFFERED, f"for {did['seconds']:.0f} s")
    yield Figure(_ACCEPTED, rates[_ACCEPTED], "commands/s", accepted / offered, _OFFERED, note)
    before, after = did["after_a_quarter"], did["at_the_end"]
    yield Figure(_QUARTER, before / _MEGABYTE, "MB", 1.0, _QUARTER)
    yield Figure(_END, after / _MEGABYTE, "MB", after / before, _QUARTER)
