"""Liveness, readiness, metrics and the OpenAPI document, for whoever operates the service."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from service.access.action import Action
from service.health.checks import Report
from service.http.endpoints.documentation import documented, unable
from service.http.endpoints.parameters import NoParameters
from service.http.middleware import metrics
from service.http.middleware.admission import does, is_open, is_told
from service.http.middleware.strict_route import StrictRoute
from service.http.problems import RETRY_AFTER
from service.http.readiness import Readiness
from service.prometheus_text import OPENMETRICS, metrics_text
from service.watch_paths import LIVE, METRICS, READY

router = APIRouter(route_class=StrictRoute, tags=["service"])
Parameters = Annotated[NoParameters, Query()]
_METRICS_SECONDS: Final = 0.5  # for the checks to be made; what was found before is good enough after that
_READY: Final = {**documented("probe"), 503: unable("It can't serve: `status` is `unable`.", Report)}
_OF_METRICS: Final = {**documented("probe")}
_OF_METRICS[200] = {**_OF_METRICS[200], "content": {OPENMETRICS: {"schema": {"type": "string"}}}}


class Alive(BaseModel):
    """The process works."""

    status: Literal["ok"] = "ok"


@router.get(
    LIVE,
    response_model=Alive,
    responses=documented("probe"),
    openapi_extra=is_open(),
)
async def is_alive(parameters: Parameters) -> Alive:
    """Whether the process works."""
    return Alive()


@router.get(
    READY,
    response_model=Report,
    responses=_READY,
    openapi_extra=is_open(tells_more=True),
)
async def is_ready(request: Request, response: Response, parameters: Parameters) -> Report:
    """Whether the service can do its work; not without the event store, only in part without a read model or saga.
    Details are for those who may watch the service, by a token of theirs; for all others they are null.
    """
    report = await _report(request)
    if not is_told(request, Action.READ_HEALTH):
        report = report.without_details()
    if report.status == "unable":
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return report


@router.get(
    METRICS,
    response_class=PlainTextResponse,
    responses=_OF_METRICS,
    openapi_extra=does(Action.READ_METRICS),
)
async def read_metrics(request: Request, parameters: Parameters) -> Response:
    """What was counted since the start, and the last checks of readiness with their age, in Prometheus' text format.
    In OpenMetrics, with traces as exemplars, where Accept names that.
    """
    return await exposition(request)


async def exposition(request: Request) -> Response:
    """The metrics, for whoever may have them."""
    await request.app.state.readiness.refresh(_METRICS_SECONDS)
    accepted = ",".join(request.headers.getlist("Accept"))
    content, media_type = metrics_text(metrics.of(request).registry, accepted)
    return Response(content, media_type=media_type)


async def _report(request: Request) -> Report:
    readiness: Readiness = request.app.state.readiness
    return await readiness.report()


async def _alive_without_token(request: Request) -> Response:
    return JSONResponse(Alive().model_dump())


async def _ready_without_token(request: Request) -> Response:
    report = await _report(request)
    return JSONResponse(report.model_dump(), 503 if report.status == "unable" else 200)


WITHOUT_TOKEN: Final = {
    METRICS: exposition,
    LIVE: _alive_without_token,
    READY: _ready_without_token,
}
"""What is answered on the port for metrics, with details."""


@router.get(
    "/openapi.json",
    responses=documented("plain"),
    openapi_extra=is_open(),
)
async def read_document(request: Request, parameters: Parameters) -> Response:
    """This API, as an OpenAPI document."""
    return Response(request.app.state.document, media_type="application/json")
