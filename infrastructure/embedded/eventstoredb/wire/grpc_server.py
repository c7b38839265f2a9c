"""The server on the port: gRPC calls, and over plain HTTP the endpoints for probes."""

from collections.abc import Collection
from functools import partial
from typing import Any

from grpclib._typing import IServable
from grpclib.config import Configuration
from grpclib.server import Server

from infrastructure.embedded.eventstoredb.http.connection import HttpConnection
from infrastructure.embedded.eventstoredb.http.endpoints import Endpoints
from infrastructure.embedded.eventstoredb.http.protocol_detection import ProtocolDetector
from infrastructure.embedded.eventstoredb.wire.calls import Calls
from infrastructure.embedded.eventstoredb.wire.h2_connection import H2Connection
from infrastructure.embedded.eventstoredb.wire.request_handler import RequestHandler

# As EventStoreDB does by default: a client that does not answer a ping within ten seconds has gone.
_PING_SECONDS = 10
_KEEPALIVE = Configuration(
    _keepalive_time=_PING_SECONDS,
    _keepalive_timeout=_PING_SECONDS,
    _keepalive_permit_without_calls=True,
    _http2_max_pings_without_data=0,
    _http2_min_sent_ping_interval_without_data=_PING_SECONDS / 2,
)


class GrpcServer(Server):
    """The library's server, with a protocol detector before its connections and our handler behind them."""

    def __init__(self, services: Collection[IServable], calls: Calls, endpoints: Endpoints) -> None:
        super().__init__(services, config=_KEEPALIVE)
        self._calls, self._endpoints = calls, endpoints

    def _protocol_factory(self) -> Any:
        return ProtocolDetector(self._grpc, partial(HttpConnection, self._endpoints))

    def _grpc(self) -> H2Connection:
        library = (self._mapping, self._codec, self._status_details_codec, self.__dispatch__)
        requests = RequestHandler(*library, calls=self._calls, endpoints=self._endpoints)
        self.__gc_step__()
        self._handlers.add(requests)
        return H2Connection(requests, self._config, self._h2_config)
