"""The port: gRPC calls, and the pages that probes ask for over plain HTTP."""

from collections.abc import Collection
from functools import partial
from typing import Any

from grpclib._typing import IServable
from grpclib.config import Configuration
from grpclib.server import Server

from infrastructure.embedded.eventstoredb.http.connection import HttpConnection
from infrastructure.embedded.eventstoredb.http.doorway import Doorway
from infrastructure.embedded.eventstoredb.http.pages import Pages
from infrastructure.embedded.eventstoredb.wire.calls import Calls
from infrastructure.embedded.eventstoredb.wire.connection import Connection
from infrastructure.embedded.eventstoredb.wire.requests import Requests

# As EventStoreDB does by default: a client that does not answer a ping within ten seconds has gone.
_PING_SECONDS = 10
_KEEPALIVE = Configuration(
    _keepalive_time=_PING_SECONDS,
    _keepalive_timeout=_PING_SECONDS,
    _keepalive_permit_without_calls=True,
    _http2_max_pings_without_data=0,
    _http2_min_sent_ping_interval_without_data=_PING_SECONDS / 2,
)


class Port(Server):
    """The library's server, with a doorway before its connections and our handler behind them."""

    def __init__(self, services: Collection[IServable], calls: Calls, pages: Pages) -> None:
        super().__init__(services, config=_KEEPALIVE)
        self._calls, self._pages = calls, pages

    def _protocol_factory(self) -> Any:
        return Doorway(self._grpc, partial(HttpConnection, self._pages))

    def _grpc(self) -> Connection:
        library = (self._mapping, self._codec, self._status_details_codec, self.__dispatch__)
        requests = Requests(*library, calls=self._calls, pages=self._pages)
        self.__gc_step__()
        self._handlers.add(requests)
        return Connection(requests, self._config, self._h2_config)
