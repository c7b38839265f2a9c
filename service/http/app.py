"""Puts the HTTP API together."""

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import structlog
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from infrastructure.embedded.disk import MIB
from service.health.disk_check import DiskCheck
from service.http.app_metrics import count_from_the_start, metrics_of
from service.http.certificate import Certificate, certificate_of
from service.http.connections import Connections
from service.http.endpoints import (
    access_log,
    accounts,
    documentation,
    health,
    histories,
    lists,
    offers,
    orders,
    pages,
    reports,
    saga_words,
    sagas,
    stock,
    trips,
)
from service.http.endpoints.reference import reference
from service.http.middleware import refused_requests
from service.http.middleware.access_records import follow_refusals, record_last_refusals
from service.http.middleware.gate import Gate
from service.http.middleware.metrics_door import open_metrics
from service.http.middleware.observation import observe_requests
from service.http.middleware.rate_limits import RateLimits
from service.http.middleware.refusal_counts import RefusalCounts
from service.http.middleware.representations import answer_head, answer_unchanged
from service.http.middleware.stopped_requests import answer_stopped
from service.http.readiness import Readiness
from service.http.revoked_tokens import RevokedTokens
from service.lag_bounds import lag_bounds
from service.settings import Settings
from service.token_verifier import token_verifier

_FIND_SECONDS: Final = 0.5  # a store that is there is found before the first request
_TURN: Final = 0.75  # of a command's time may pass before its turn; the rest is for the command itself
SERVED: Final = (
    orders,
    stock,
    accounts,
    offers,
    trips,
    sagas,
    saga_words,
    lists,
    reports,
    histories,
    access_log,
    health,
    pages,
)
_log: Final = structlog.stdlib.get_logger("foldstream.http")


def create_app(settings: Settings, folders: Sequence[Path] = ()) -> FastAPI:
    """The application; `folders` are those of the embedded servers beside it.

    Raises SettingsError where a server is not named, which need not be there yet, or a projection that there is not, or
    keys or a certificate that can't be used; KeysUnusable for a file of keys that holds none.
    """
    connections = Connections(settings)
    app = FastAPI(
        title="Foldstream",
        version=version("foldstream"),
        description="Orders, stock, accounts and trips, kept as events.",
        lifespan=_connected,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,  # a body without a label is looked at as it is
        generate_unique_id_function=lambda route: route.name,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.state.connections = connections
    disk = DiskCheck(folders, settings.disk_free_mib * MIB)
    app.state.readiness = Readiness(connections, disk, lag_bounds(settings), settings.saga_stuck_seconds)
    app.state.revoked_tokens = RevokedTokens(connections)
    app.state.verifier = token_verifier(settings, app.state.revoked_tokens.known)
    app.state.certificate = certificate_of(settings)
    app.state.metrics = metrics_of(app)
    _open_gates(app, settings)
    for module in SERVED:
        app.include_router(module.router)
    count_from_the_start(app, [module.router for module in SERVED])
    refused_requests.install(app)
    _wrap(app, settings)
    document = documentation.openapi_of(app)
    app.state.document, app.state.reference = JSONResponse(document).body, reference(document)
    return app


def _open_gates(app: FastAPI, settings: Settings) -> None:
    app.state.commands = Gate(settings.commands_at_once, settings.commands_waiting, _TURN * settings.command_seconds)
    app.state.queries = Gate(settings.queries_at_once)
    app.state.waiting_queries = Gate(settings.queries_waiting)
    app.state.rate_limits = RateLimits(settings.requests_per_second, settings.requests_burst)
    app.state.refusal_counts = RefusalCounts()


def _wrap(app: FastAPI, settings: Settings) -> None:
    """The first is nearest to the endpoints."""
    if settings.metrics_port is not None:
        app.add_middleware(open_metrics, port=settings.metrics_port, answers=health.WITHOUT_TOKEN)
    app.add_middleware(answer_unchanged)
    app.add_middleware(answer_head)
    app.add_middleware(answer_stopped)
    app.add_middleware(observe_requests, metrics=app.state.metrics)


@asynccontextmanager
async def _connected(app: FastAPI) -> AsyncIterator[None]:
    connections: Connections = app.state.connections
    finding = _begin(connections.find_store(), "eventstore_search_failed")
    watching = _begin(connections.watch_outages(), "outage_watch_failed")
    listening = _begin(connections.commits.run(), "commit_listener_failed")
    revoked: RevokedTokens = app.state.revoked_tokens
    revoking = _begin(revoked.follow(), "revocations_watch_failed")
    keys = _begin(app.state.verifier.source.follow(), "access_keys_watch_failed")
    refusals = _begin(follow_refusals(app), "refusal_counts_failed")
    first_read = asyncio.create_task(revoked.wait_for_first_read())
    certificate: Certificate | None = app.state.certificate
    following = [] if certificate is None else [_begin(certificate.follow(), "certificate_watch_failed")]
    tasks = (finding, watching, listening, revoking, keys, refusals, first_read, *following)
    await asyncio.wait({finding, first_read}, timeout=_FIND_SECONDS)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await record_last_refusals(app)
        finally:
            await connections.close()


def _begin(work: Coroutine[Any, Any, None], failed: str) -> asyncio.Task[None]:
    """Begins what the process can't do without; `failed` is the line of the log where it fails."""
    task = asyncio.create_task(work)
    task.add_done_callback(partial(_end_where_it_failed, failed))
    return task


def _end_where_it_failed(failed: str, task: asyncio.Task[None]) -> None:
    """Ends the process in order: without the search it would never find the store. The supervisor starts it again."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error(failed, exc_info=error)
        signal.raise_signal(signal.SIGTERM)
