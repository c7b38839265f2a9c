"""How the HTTP API is served: by uvicorn, within the bounds that the settings give."""

from functools import partial
from types import FrameType
from typing import Final

import uvicorn
from fastapi import FastAPI

from service.http.middleware.open_connections import OpenConnections
from service.http.middleware.protocol import BoundedProtocol
from service.settings import Settings

STOP_SECONDS: Final = 4  # for requests under way


class ApiServer(uvicorn.Server):
    """Stops in order, also when it is told so twice: its time is short."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How this application is served."""
    connections = OpenConnections(settings.connections, settings.pending_per_address, app.state.metrics)
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=partial(BoundedProtocol, settings, connections),  # type: ignore[arg-type] # a class made by arguments is one
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
