"""What a newcomer sees first: what this is, and the reference of the API."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel

from service.http.endpoints.documentation import documented
from service.http.endpoints.parameters import NoParameters
from service.http.endpoints.reference import link, page
from service.http.middleware.admission import is_open
from service.http.middleware.strict_route import StrictRoute

router = APIRouter(route_class=StrictRoute, tags=["service"])
_HTML: Final = "text/html"
_PLACES: Final = {
    "docs": "/docs",
    "openapi": "/openapi.json",
    "live": "/health/live",
    "ready": "/health/ready",
    "metrics": "/metrics",
}
# Pages need no scripts and nothing from elsewhere, so nothing of the kind is let in.
_HEADERS: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Vary": "Accept"}
_EITHER: Final[dict[int | str, dict[str, Any]]] = documented("plain")
_EITHER[200] = {**_EITHER[200], "content": {_HTML: {"schema": {"type": "string"}}}}
Parameters = Annotated[NoParameters, Query()]


class Welcome(BaseModel):
    """What this service is, and where to go on: `links` are paths of it."""

    name: str
    version: str
    description: str
    links: dict[str, str]


@router.get(
    "/",
    response_model=Welcome,
    responses=_EITHER,
    openapi_extra=is_open(),
)
async def read_welcome(request: Request, parameters: Parameters) -> Response:
    """What this service is and where to go on: as HTML for browsers, else as JSON."""
    app = request.app
    if _HTML in request.headers.get("Accept", ""):
        places = "".join(f"<li>{name}: {link(path)}</li>" for name, path in _PLACES.items())
        heading = f"<h1>{app.title} {app.version}</h1><p>{app.description}</p>"
        return HTMLResponse(page(app.title, (heading, f"<ul>{places}</ul>")), headers=_HEADERS)
    welcome = Welcome(name=app.title, version=app.version, description=app.description, links=_PLACES)
    return JSONResponse(welcome.model_dump(), headers={"Vary": "Accept"})


@router.get(
    "/docs",
    response_class=HTMLResponse,
    responses=documented("plain"),
    openapi_extra=is_open(),
)
async def read_reference(request: Request, parameters: Parameters) -> HTMLResponse:
    """This API as a page to read."""
    return HTMLResponse(request.app.state.reference, headers=_HEADERS)
