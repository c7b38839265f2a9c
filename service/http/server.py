"""How the HTTP API is served: by uvicorn, within the bounds that the settings give."""

import asyncio
from asyncio import AbstractServer
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from socket import socket
from ssl import SSLContext
from types import FrameType
from typing import Any, Final

import uvicorn
import uvloop
from fastapi import FastAPI

from service.http.certificate import Certificate
from service.http.middleware.open_connections import OpenConnections
from service.http.middleware.protocol import BoundedProtocol
from service.settings import Settings

STOP_SECONDS: Final = 4  # for requests under way
_HANDSHAKE_SECONDS: Final = 1.0  # at a stop, of who waited to be accepted


class _Loop(uvloop.Loop):
    """The event loop of the API: a client that does not end its handshake in time is left; else it has a minute."""

    handshake_seconds = 60.0

    async def create_server(  # type: ignore[override]  # asyncio's is overloaded
        self, *arguments: Any, ssl: SSLContext | None = None, **options: Any
    ) -> AbstractServer:
        bound: dict[str, Any] = {} if ssl is None else {"ssl": ssl, "ssl_handshake_timeout": self.handshake_seconds}
        return await super().create_server(*arguments, **bound, **options)  # type: ignore[call-overload,no-any-return]  # as above


class ApiServer(uvicorn.Server):
    """Stops in order, also when it is told so twice: its time is short, and `bound` ends it."""

    def __init__(self, config: uvicorn.Config, bound: Callable[[], None]) -> None:
        super().__init__(config)
        self._bound: Final = bound

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            self._bound()
        self.should_exit = True

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Answers those, too, who still wait to be accepted: the end of a socket that nobody else has resets them."""
        waiting = [accepted for listening in sockets or () for accepted in self._accepted(listening)]
        for server in self.servers:
            server.close()
        if waiting:
            await asyncio.wait([asyncio.create_task(self._serve_last(each)) for each in waiting])
        await super().shutdown(sockets)

    def _accepted(self, listening: socket) -> Iterator[socket]:
        """The connections that wait in the queue of a socket."""
        with suppress(OSError):  # there are no more, or no more files may be open
            for _ in range(self.config.backlog):
                yield listening.accept()[0]

    async def _serve_last(self, accepted: socket) -> None:
        bound = {} if self.config.ssl is None else {"ssl_handshake_timeout": _HANDSHAKE_SECONDS}
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._last_protocol, accepted, ssl=self.config.ssl, **bound
            )
        except OSError:  # it has gone, or shakes no hands
            accepted.close()

    def _last_protocol(self) -> BoundedProtocol:
        made: Any = self.config.http_protocol_class
        protocol: BoundedProtocol = made(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        protocol.is_stopping = True
        return protocol


def _loop(handshake_seconds: float) -> _Loop:
    made = _Loop()
    made.handshake_seconds = handshake_seconds
    return made


class _Config(uvicorn.Config):
    """Serves by the application's certificate, which may change."""

    def load(self) -> None:
        super().load()
        certificate: Certificate | None = self.app.state.certificate  # type: ignore[union-attr]  # ours
        self.ssl = None if certificate is None else certificate.context


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How this application is served."""
    connections = OpenConnections(settings.connections, settings.pending_per_address, app.state.metrics)
    return _Config(
        app,
        loop=partial(_loop, settings.head_seconds),  # type: ignore[arg-type]  # it takes what makes one, too
        http=partial(BoundedProtocol, settings, connections),  # type: ignore[arg-type] # a class made by arguments is one
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
