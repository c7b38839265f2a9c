"""How fast a log is read: by the tuned client, by the client as shipped, and by a bare stub that decodes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import grpc
from esdbclient import CaughtUp, EventStoreDBClient
from esdbclient.protos.Grpc.streams_pb2 import ReadReq

from bench.figures import Extent, Figure, Way, compared, in_turns
from bench.store.log import CATEGORY, fill
from bench.store.server import StoreServer, temporary_folder
from infrastructure.eventstore.client import reader_client
from infrastructure.eventstore.stream_patterns import partition_pattern

_EVENTS: Final = 100_000
_READ: Final = "/event_store.client.streams.Streams/Read"
_IN_THIS_THREAD: Final = (("SingleThreadedUnaryStream", 1),)
_SHIPPED: Final = "read_all, client as shipped"
_TUNED: Final = "read_all, tuned client"
_FOLLOWED: Final = "catch-up, tuned client"
_BARE: Final = "read_all, bare stub"
_FILTERED: Final = "catch-up, 1 in 16 passes"
_BASELINES: Final = {_TUNED: _SHIPPED, _FOLLOWED: _SHIPPED, _BARE: _SHIPPED, _FILTERED: _FOLLOWED}


def measure_reads(extent: Extent) -> Iterator[Figure]:
    """Reads the whole log in each way in turn."""
    events = extent.events(_EVENTS)
    with temporary_folder() as folder:
        fill(folder, 0, events)
        with StoreServer(folder) as server:
            runs = in_turns(_Reads(server, events).ways(), extent.rounds)
    yield from compared(runs, "events of the log/s", _BASELINES)


@dataclass(frozen=True, slots=True)
class _Reads:
    """Every event of the log counts, also one that does not pass the filter: it has to be looked at."""

    server: StoreServer
    events: int

    def ways(self) -> dict[str, Way]:
        measured = self.server.measured
        return {
            _SHIPPED: lambda: measured(lambda: self._all(EventStoreDBClient(self.server.uri))),
            _TUNED: lambda: measured(lambda: self._all(reader_client(self.server.uri))),
            _FOLLOWED: lambda: measured(self._follow),
            _BARE: lambda: measured(self._barely),
            _FILTERED: lambda: measured(self._pick),
        }

    def _all(self, client: EventStoreDBClient) -> int:
        with client, client.read_all() as events:
            return sum(1 for _ in events)

    def _follow(self) -> int:
        self._catch_up()
        return self.events

    def _pick(self) -> int:
        """As a projection does that is divided into sixteen."""
        pattern = partition_pattern(CATEGORY, 3, 16)
        self._catch_up(filter_include=(pattern,), filter_by_stream_name=True, include_checkpoints=True, window_size=100)
        return self.events

    def _catch_up(self, **choice: Any) -> None:
        with (
            reader_client(self.server.uri) as client,
            client.subscribe_to_all(include_caught_up=True, **choice) as subscription,
        ):
            next(event for event in subscription if isinstance(event, CaughtUp))

    def _barely(self) -> int:
        with grpc.insecure_channel(self.server.target, _IN_THIS_THREAD) as channel:
            read: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(_READ)
            return sum(1 for _ in read(_everything().SerializeToString()))


def _everything() -> ReadReq:
    request = ReadReq()
    request.options.all.start.SetInParent()
    request.options.no_filter.SetInParent()
    request.options.uuid_option.string.SetInParent()
    request.options.count = 2**63 - 1
    return request
