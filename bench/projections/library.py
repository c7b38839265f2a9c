"""How many events are projected here and by the Python library eventsourcing, from one server."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import typer

from bench.commands.installation import CACHE, EVENTSOURCING, NotInstalled
from bench.commands.worker import Worker
from bench.figures import Extent, Figure, Run, Way, in_turns
from bench.projections.order_log import order_appends
from bench.projections.source import Source, log_of
from bench.projections.templates import StreamTemplate
from bench.projections.workers import PATIENCE, Fold
from infrastructure.eventstore.record import NewRecord
from service.errors import ServiceError

_EVENTS: Final = 100_000
_PEER: Final = replace(EVENTSOURCING, program="eventsourcing_projection_peer.py")
_THEIRS: Final = "eventsourcing, two read models in memory"
_OURS: Final = "Foldstream, two read models in Redis"
_BYTES: Final = "application/octet-stream"
_AIM: Final = "≥ 5"


def measure_library(extent: Extent) -> Iterator[Figure]:
    """The same orders are in the log twice, as each of the two writes them; both know them by a filter.

    Its `ProjectionRunner` keeps the rows of the order models in dictionaries, ours commits them to Redis.
    """
    with ExitStack() as stack:
        try:
            command = _PEER.command(Path.home() / CACHE, install=extent.part == 1.0)
            peer = stack.enter_context(Worker("eventsourcing", command))
        except (NotInstalled, ServiceError) as error:
            typer.echo(f"projections: not compared with eventsourcing: {error}", err=True)
            return
        events = extent.events(_EVENTS)
        theirs = StreamTemplate("", _records(peer))
        source = stack.enter_context(log_of(extent, order_appends(events), theirs.appends(events)))
        ways: dict[str, Way] = {
            _THEIRS: partial(_project, peer, source, events),
            _OURS: Fold(replace(source, events=events)),
        }
        runs = in_turns(ways, extent.rounds)
    versions = ", ".join(f"{name} {version}" for name, version in peer.versions.items())
    yield Figure(_THEIRS, runs[_THEIRS].rate, "events/s", 1.0, _THEIRS, f"{runs[_THEIRS].cost}; {versions}")
    ratio = runs[_OURS].rate / runs[_THEIRS].rate
    yield Figure(_OURS, runs[_OURS].rate, "events/s", ratio, _THEIRS, runs[_OURS].cost, _AIM)


def _records(peer: Worker) -> Iterator[NewRecord]:
    """The events of one order as the library writes them."""
    peer.tell("record")
    for topic, state in peer.answer(0.0)["events"]:
        yield NewRecord(topic, state.encode(), content_type=_BYTES)


def _project(peer: Worker, source: Source, events: int) -> Run:
    before = source.cpu_seconds
    peer.tell(f"project {source.uri} {events} {'' if source.after is None else source.after}")
    did = peer.answer(PATIENCE)
    return Run(did["count"], did["seconds"], source.cpu_seconds - before, did["cpu_seconds"])
