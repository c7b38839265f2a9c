"""Reads the read models for a request: how fresh the answer has to be, and which part of a list it is."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from infrastructure.readmodels.position_token import PositionToken
from infrastructure.readmodels.queries import IndexPage, ReadModels, RowAtPosition
from projections.projection import Projection, RowT
from service.http import tokens
from service.http.connections import Connections
from service.http.endpoints.parameters import Limit, Seconds
from service.http.middleware.gate import Gate


class Freshness(BaseModel):
    """How far the read model has to be (`at_least`, a position token), and for how many seconds to wait for that."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: tokens.Token | None = None
    wait: Seconds = 2.0


class Listing(BaseModel):
    """How fresh a list is to be, and which part of it: at most `limit`, from `cursor`, a `next` of before, on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: tokens.Token | None = None
    wait: Seconds = 2.0
    limit: Limit = 20
    cursor: tokens.Cursor | None = None


@dataclass(frozen=True, slots=True)
class ReadModelReader:
    """The read models as one request may use them. All methods raise what ReadModels raises.

    A query that waits for a position gives up its place among those that are answered, and takes one of the waiting.
    """

    connections: Connections
    answering: Gate
    waiting: Gate

    async def row(self, projection: Projection[RowT], key: str, freshness: Freshness) -> RowAtPosition[RowT]:
        """The row of one aggregate. Raises Problem `overloaded`."""
        async with self._place() as read_models:
            return await read_models.get(projection, key, at_least=freshness.at_least, wait=freshness.wait)

    async def page(self, projection: Projection[Any], index: str, listing: Listing) -> IndexPage:
        """A part of a list. Raises Problem `overloaded`."""
        async with self._place() as read_models:
            return await read_models.page(
                projection,
                index,
                limit=listing.limit,
                cursor=listing.cursor,
                at_least=listing.at_least,
                wait=listing.wait,
            )

    async def rows(self, projection: Projection[RowT], keys: Sequence[str]) -> list[RowT]:
        """The rows that exist of these, for a page that was read just now."""
        return [row for row in await self.connections.read_models.rows(projection, keys) if row is not None]

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[ReadModels]:
        async with AsyncExitStack() as place:
            await place.enter_async_context(self.answering)

            async def begin_to_wait() -> None:
                await place.aclose()
                await place.enter_async_context(self.waiting)

            yield self.connections.read_models.announcing(begin_to_wait)


async def read_model_reader(request: Request) -> ReadModelReader:
    """The reader of this request."""
    state = request.app.state
    return ReadModelReader(state.connections, state.queries, state.waiting_queries)


Reading = Annotated[ReadModelReader, Depends(read_model_reader)]


def answer(body: BaseModel, token: PositionToken, version: int | None = None) -> JSONResponse:
    """200, with the token of the read model, and the version of the row."""
    headers: dict[str, Any] = {"Foldstream-Position": tokens.write(token)}
    if version is not None:
        headers["ETag"] = f'"{version}"'
    return JSONResponse(body.model_dump(mode="json"), 200, headers)
