"""Puts the event store together: a log, the services on it, and a port."""

import errno
import socket
from pathlib import Path

from grpclib._typing import IServable
from grpclib.server import Server

from infrastructure.embedded.eventstoredb.errors import StartRefused, StorageFailed
from infrastructure.embedded.eventstoredb.log import Log
from infrastructure.embedded.eventstoredb.wire.calls import Calls
from infrastructure.embedded.eventstoredb.wire.gossip import GossipService
from infrastructure.embedded.eventstoredb.wire.persistent import PersistentService
from infrastructure.embedded.eventstoredb.wire.streams import StreamsService


class EventStore:
    """A running server; made by `start`, ended by `stop`."""

    def __init__(self, log: Log, listener: socket.socket) -> None:
        self.host, self.port = listener.getsockname()[:2]
        self.log = log
        self._calls = Calls()
        self._persistent = PersistentService(log, self._calls)
        services: list[IServable] = [
            StreamsService(log, self._calls),
            self._persistent,
            GossipService(self.host, self.port, self._calls),
        ]
        self._server = Server(services)

    @classmethod
    async def start(cls, host: str, port: int, folder: Path | None) -> "EventStore":
        """Serves the log of a folder that the caller has locked, or one in memory.

        Raises StartRefused.
        """
        listener = _listen(host, port)
        try:
            log = Log(folder)
        except StartRefused:
            listener.close()
            raise
        store = cls(log, listener)
        try:
            await log.start()
        except StorageFailed as error:
            raise StartRefused(str(error)) from error
        await store._persistent.start()
        await store._server.start(sock=listener, backlog=1024)
        return store

    async def stop(self) -> None:
        """Ends open calls with UNAVAILABLE, writes what was accepted, closes; takes a few seconds at most."""
        await self._calls.stop()
        self._server.close()
        await self._persistent.stop()
        await self.log.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except socket.gaierror as error:
        raise StartRefused(f"{host} is no address of this machine: {error.strerror}") from error
    except OSError as error:
        reason = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror
        raise StartRefused(f"can't listen on {host}:{port}: {reason}") from error
