"""Liveness, readiness, metrics and the OpenAPI document, for whoever operates the service."""

import asyncio
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.health import ProjectionHealth
from projections.projection import Projection
from service.consumers import PROJECTIONS
from service.http.connections import Connections
from service.http.endpoints.documentation import documented
from service.http.endpoints.parameters import NoParameters
from service.http.middleware import metrics
from service.http.middleware.strict_route import StrictRoute
from service.http.problems import Problem

router = APIRouter(route_class=StrictRoute, tags=["service"])
_CHECK_SECONDS: Final = 1.0
Parameters = Annotated[NoParameters, Query()]


class Alive(BaseModel):
    """The process works."""

    status: Literal["ok"] = "ok"


class Check(BaseModel):
    """One thing the service needs: whether it is as it should be, and `detail` about what is not.

    `away` is what does not answer or does not run, `behind` what catches up by itself, `stopped` what waits for a
    release that can read the event it stopped at, `misconfigured` what serves but may lose what it was given.
    """

    ok: bool
    state: Literal["ok", "away", "behind", "stopped", "misconfigured"] = "ok"
    detail: str | None = None


class Ready(BaseModel):
    """`degraded` where something can't be answered now, or only from read models that are behind."""

    status: Literal["ok", "degraded"]
    checks: dict[str, Check]


@router.get("/health/live", response_model=Alive, responses=documented("plain"))
async def is_alive(parameters: Parameters) -> Alive:
    """Whether the process works."""
    return Alive()


@router.get("/health/ready", response_model=Ready, responses=documented("plain", "store-unavailable"))
async def is_ready(request: Request, parameters: Parameters) -> Ready:
    """Whether the service can do its work. Without the event store it can't; without a read model it is degraded."""
    connections: Connections = request.app.state.connections
    names = ["eventstore", "redis", *(projection.name for projection in PROJECTIONS)]
    results = await asyncio.gather(
        _eventstore(connections), _redis(connections), *(_projection(connections, each) for each in PROJECTIONS)
    )
    checks = dict(zip(names, results, strict=True))
    if not checks["eventstore"].ok:
        members: dict[str, Any] = {name: check.model_dump() for name, check in checks.items()}
        raise Problem("store-unavailable", str(checks["eventstore"].detail), checks=members)
    return Ready(status="ok" if all(check.ok for check in results) else "degraded", checks=checks)


@router.get("/metrics", response_class=PlainTextResponse, responses=documented("plain"))
async def read_metrics(request: Request, parameters: Parameters) -> Response:
    """What was counted since the start, in Prometheus' text format."""
    return Response(generate_latest(metrics.of(request).registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/openapi.json", responses=documented("plain"))
async def read_document(request: Request, parameters: Parameters) -> JSONResponse:
    """This API, as an OpenAPI document."""
    return JSONResponse(request.app.state.document)


async def _eventstore(connections: Connections) -> Check:
    fault = await connections.store_fault()
    return Check(ok=True) if fault is None else _away(f"{connections.store_address}: {fault}")


async def _redis(connections: Connections) -> Check:
    fault = await connections.redis_fault()
    if fault is not None:
        return _away(f"{connections.redis_address}: {fault}")
    misconfigured = await connections.redis_misconfiguration()
    return Check(ok=True) if misconfigured is None else Check(ok=False, state="misconfigured", detail=misconfigured)


async def _projection(connections: Connections, projection: Projection[Any]) -> Check:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            health = await connections.read_models.health(projection)
    except ReadModelUnavailable as error:
        return _away(error.reason)
    except TimeoutError:
        return _away(f"no answer within {_CHECK_SECONDS:g} s")
    return _check_of(health)


def _check_of(health: ProjectionHealth) -> Check:
    if health.failure is not None:
        by_an_event = health.failure.position is not None
        return Check(ok=False, state="stopped" if by_an_event else "away", detail=f"stopped: {health.failure.reason}")
    if not health.live:
        return _behind("is being built")
    if not health.alive:
        return _away("has no worker")
    return Check(ok=True) if health.caught_up else _behind("is catching up")


def _away(detail: str) -> Check:
    return Check(ok=False, state="away", detail=detail)


def _behind(detail: str) -> Check:
    return Check(ok=False, state="behind", detail=detail)
