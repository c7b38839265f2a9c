"""Puts the event store together: a log, the services on it, and a port."""

import errno
import socket
from pathlib import Path

from grpclib._typing import IServable

from infrastructure.embedded.eventstoredb.access.guard import Guard
from infrastructure.embedded.eventstoredb.access.security import Security
from infrastructure.embedded.eventstoredb.errors import StartRefused, StorageFailed
from infrastructure.embedded.eventstoredb.http.endpoints import Endpoints, Node
from infrastructure.embedded.eventstoredb.log import EventLog
from infrastructure.embedded.eventstoredb.projections.subsystem import Subsystem
from infrastructure.embedded.eventstoredb.wire.admission import admission
from infrastructure.embedded.eventstoredb.wire.calls import Calls, everyone
from infrastructure.embedded.eventstoredb.wire.gossip_service import GossipService
from infrastructure.embedded.eventstoredb.wire.grpc_server import GrpcServer
from infrastructure.embedded.eventstoredb.wire.persistent_service import PersistentService
from infrastructure.embedded.eventstoredb.wire.projections_service import ProjectionsService
from infrastructure.embedded.eventstoredb.wire.server_features_service import ServerFeaturesService
from infrastructure.embedded.eventstoredb.wire.streams_service import StreamsService

# A server on all addresses is reached at one of them.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


class EventStore:
    """A running server; made by `start`, ended by `stop`."""

    def __init__(self, log: EventLog, host: str, port: int, guard: Guard | None = None) -> None:
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.log = log
        self._guard = guard
        self._calls = Calls(everyone if guard is None else admission(guard.logins))
        self._persistent = PersistentService(log, self._calls)
        self._projections = Subsystem(log)
        services: list[IServable] = [
            StreamsService(log, self._calls),
            self._persistent,
            ProjectionsService(self._projections, self._calls),
            GossipService(host, port, self._calls),
        ]
        offered = [path for service in services for path in service.__mapping__()]
        services.append(ServerFeaturesService(offered, self._calls))
        node = Node(host, port, is_secure=guard is not None, is_ready=self._is_ready)
        self._grpc_server = GrpcServer(services, self._calls, Endpoints(node))

    @classmethod
    async def start(
        cls,
        host: str,
        port: int,
        folder: Path | None,
        *,
        projections: bool | None = None,
        security: Security | None = None,
    ) -> "EventStore":
        """Serves the log of a folder that the caller has locked, or one in memory.

        `projections` starts or stops the system projections; None leaves them as they were, in a new log stopped.
        Without `security` anybody may do all, in clear text.

        Raises StartRefused.
        """
        guard = None if security is None else Guard.load(security)
        listener = _listen(host, port)
        try:
            log = EventLog(folder)
        except StartRefused:
            listener.close()
            raise
        reached_at = _LOOPBACK.get(host, host)
        store = cls(log, reached_at, listener.getsockname()[1], guard)
        try:
            await log.start()
        except StorageFailed as error:
            raise StartRefused(str(error)) from error
        await store._persistent.start()
        await store._projections.start(run=projections)
        await store._grpc_server.start(sock=listener, backlog=1024, ssl=None if guard is None else guard.tls)
        return store

    def _is_ready(self) -> bool:
        return not self._calls.is_stopping and self.log.fault is None

    async def stop(self) -> None:
        """Ends open calls with UNAVAILABLE, writes what was accepted, closes; takes a few seconds at most."""
        await self._calls.stop()
        self._grpc_server.close()
        await self._persistent.stop()
        await self._projections.stop()
        await self.log.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        return socket.create_server(address[:2], family=family, backlog=1024)
    except socket.gaierror as error:
        raise StartRefused(f"{host} is no address of this machine: {error.strerror}") from error
    except OSError as error:
        reason = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror
        raise StartRefused(f"can't listen on {host}:{port}: {reason}") from error
