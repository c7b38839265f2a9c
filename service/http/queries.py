"""The way of every query: how fresh and how much it is to be, and the read models it is answered from."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from infrastructure.readmodels.queries import ReadModels
from service.http import tokens
from service.http.connections import Connections
from service.http.gate import Gate

_LARGEST_PAGE: Final = 100


def _read_limit(text: object) -> int:
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= _LARGEST_PAGE):
        raise ValueError(f"should be a whole number from 1 to {_LARGEST_PAGE}")
    return int(text)


Limit = Annotated[
    int,
    BeforeValidator(_read_limit),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _LARGEST_PAGE, "default": 20}),
]


class Freshness(BaseModel):
    """How far the read model has to be (`at_least`, a position token), and for how many seconds to wait for that."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: tokens.PositionToken | None = None
    wait: Annotated[float, Field(ge=0, le=30, allow_inf_nan=False)] = 2.0


class Listing(Freshness):
    """Which part of a list: at most `limit` of it, from where `cursor`, the `next` of the part before, says."""

    limit: Limit = 20
    cursor: tokens.Cursor | None = None


async def read_models(request: Request) -> AsyncIterator[ReadModels]:
    """The read models, for as long as this query takes. Raises Problem `overloaded`."""
    connections: Connections = request.app.state.connections
    gate: Gate = request.app.state.queries
    async with gate:
        yield connections.read_models


def answer(body: BaseModel, position: int, version: int | None = None) -> JSONResponse:
    """200, with how far the read model had come, and the version of what was found."""
    headers: dict[str, Any] = {"Foldstream-Position": tokens.write(position)}
    if version is not None:
        headers["ETag"] = f'"{version}"'
    return JSONResponse(body.model_dump(mode="json"), 200, headers)
