"""The way of every query: how fresh and how much it is to be, and the read models it is answered from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from infrastructure.readmodels.queries import IndexPage, RowAtPosition
from projections.projection import Projection, RowT
from service.http import tokens
from service.http.connections import Connections
from service.http.gate import Gate

_LARGEST_PAGE: Final = 100


def _read_limit(text: object) -> int:
    if not isinstance(text, str) or not re.fullmatch("[1-9][0-9]{0,2}", text) or int(text) > _LARGEST_PAGE:
        raise ValueError(f"should be a whole number from 1 to {_LARGEST_PAGE}")
    return int(text)


def _read_seconds(text: object) -> float:
    if not isinstance(text, str) or not re.fullmatch(r"(0|[1-9][0-9]?)(\.[0-9]{1,3})?", text) or float(text) > 30:
        raise ValueError("should be a number of seconds from 0 to 30")
    return float(text)


Seconds = Annotated[
    float,
    BeforeValidator(_read_seconds),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 30, "default": 2}),
]
Limit = Annotated[
    int,
    BeforeValidator(_read_limit),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _LARGEST_PAGE, "default": 20}),
]


class Freshness(BaseModel):
    """How far the read model has to be (`at_least`, a position token), and for how many seconds to wait for that."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: tokens.PositionToken | None = None
    wait: Seconds = 2.0


class Listing(BaseModel):
    """How fresh a list is to be, and which part of it: at most `limit`, from `cursor`, a `next` of before, on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: tokens.PositionToken | None = None
    wait: Seconds = 2.0
    limit: Limit = 20
    cursor: tokens.Cursor | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """The read models as one request may use them. All methods raise what ReadModels raises."""

    connections: Connections
    gate: Gate

    async def row(self, projection: Projection[RowT], key: str, freshness: Freshness) -> RowAtPosition[RowT]:
        """The row of one aggregate. Raises Problem `overloaded`."""
        async with self.gate:
            return await self.connections.read_models.get(
                projection, key, at_least=freshness.at_least, wait=freshness.wait
            )

    async def page(self, projection: Projection[Any], index: str, listing: Listing) -> IndexPage:
        """A part of a list. Raises Problem `overloaded`."""
        async with self.gate:
            return await self.connections.read_models.page(
                projection,
                index,
                limit=listing.limit,
                cursor=listing.cursor,
                at_least=listing.at_least,
                wait=listing.wait,
            )

    async def rows(self, projection: Projection[RowT], keys: Sequence[str]) -> list[RowT]:
        """Those of the rows that there are, for a page that was read just now."""
        return [row for row in await self.connections.read_models.rows(projection, keys) if row is not None]


async def reader(request: Request) -> Reader:
    """The reader of this request."""
    return Reader(request.app.state.connections, request.app.state.queries)


Reading = Annotated[Reader, Depends(reader)]


def answer(body: BaseModel, position: int, version: int | None = None) -> JSONResponse:
    """200, with how far the read model had come, and the version of what was found."""
    headers: dict[str, Any] = {"Foldstream-Position": tokens.write(position)}
    if version is not None:
        headers["ETag"] = f'"{version}"'
    return JSONResponse(body.model_dump(mode="json"), 200, headers)
