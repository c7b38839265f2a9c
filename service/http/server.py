"""How the HTTP API is served: by uvicorn, within the bounds that the settings give."""

from asyncio import AbstractServer
from collections.abc import Callable
from functools import partial
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
