"""Reads the read models for a request: how fresh the answer has to be, and which part of a list it is."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from infrastructure.readmodels.answers import GroupsAtPosition, IndexPage, RankingAtPosition, RowAtPosition
from infrastructure.readmodels.position_token import PositionToken
from infrastructure.readmodels.queries import OwnIndex, ReadModels
from infrastructure.readmodels.text_order import MemberPage, PageQuery
from projections.projection import Projection, RowT
from service.http import tokens
from service.http.connections import Connections
from service.http.endpoints.parameters import Limit, Seconds, ViewName
from service.http.middleware.admission import sees
from service.http.middleware.gate import Gate


class Freshness(BaseModel):
    """How far the read model has to be (`at_least`, a position token), and for how many seconds to wait for that.

    With a `view`, that view of the past is read instead, which nobody waits for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: tokens.Token | None = None
    wait: Seconds = 2.0
    view: ViewName | None = None


class Listing(BaseModel):
    """How fresh a list is to be, and which part of it: at most `limit`, from `cursor`, a `next` of before, on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: tokens.Token | None = None
    wait: Seconds = 2.0
    view: ViewName | None = None
    limit: Limit = 20
    cursor: tokens.Cursor | None = None


@dataclass(frozen=True, slots=True)
class ReadModelReader:
    """The read models as one request may use them. All methods raise what ReadModels raises.

    A query that waits for a position gives up its place among those that are answered, and takes one of the waiting.
    `sees` says whether what belongs to an owner is there for the sender.
    """

    connections: Connections
    answering: Gate
    waiting: Gate
    sees: Callable[[str], bool]

    def listed(self, customer_id: str) -> str:
        """The customer whose list is read for this one: for those whose lists are not there, one who can't be."""
        return customer_id if self.sees(customer_id) else ""

    async def row(self, projection: Projection[RowT], key: str, freshness: Freshness) -> RowAtPosition[RowT]:
        """The row of one aggregate. Raises Problem `overloaded`."""
        async with self._place(freshness.view) as read_models:
            return await read_models.get(projection, key, at_least=freshness.at_least, wait=freshness.wait)

    async def page(self, projection: Projection[Any], index: str | OwnIndex, listing: Listing) -> IndexPage:
        """A part of a list. Raises Problem `overloaded`."""
        async with self._place(listing.view) as read_models:
            return await read_models.page(
                projection,
                index,
                limit=listing.limit,
                cursor=listing.cursor,
                at_least=listing.at_least,
                wait=listing.wait,
            )

    async def members(self, projection: Projection[Any], page: PageQuery, freshness: Freshness) -> MemberPage:
        """A part of a list that is ordered by text. Raises Problem `overloaded`."""
        async with self._place(freshness.view) as read_models:
            return await read_models.members(projection, page, at_least=freshness.at_least, wait=freshness.wait)

    async def sums(self, projection: Projection[Any], groups: Sequence[str], freshness: Freshness) -> GroupsAtPosition:
        """The counters of these groups. Raises Problem `overloaded`."""
        async with self._place(freshness.view) as read_models:
            return await read_models.sums(projection, groups, at_least=freshness.at_least, wait=freshness.wait)

    async def ranked(
        self, projection: Projection[Any], group: str, limit: int, freshness: Freshness
    ) -> RankingAtPosition:
        """The heaviest members of a ranking. Raises Problem `overloaded`."""
        async with self._place(freshness.view) as read_models:
            return await read_models.ranked(
                projection, group, limit=limit, at_least=freshness.at_least, wait=freshness.wait
            )

    async def rows(self, projection: Projection[RowT], keys: Sequence[str], listing: Listing | Freshness) -> list[RowT]:
        """The rows that exist of these, for a page that was read just now."""
        found = await self.connections.models_in(listing.view).rows(projection, keys)
        return [row for row in found if row is not None]

    @asynccontextmanager
    async def _place(self, view: str | None) -> AsyncIterator[ReadModels]:
        async with AsyncExitStack() as place:
            await place.enter_async_context(self.answering)

            async def begin_to_wait() -> None:
                await place.aclose()
                await place.enter_async_context(self.waiting)

            yield self.connections.models_in(view).announcing(begin_to_wait)


async def read_model_reader(request: Request) -> ReadModelReader:
    """The reader of this request."""
    state = request.app.state
    return ReadModelReader(state.connections, state.queries, state.waiting_queries, partial(sees, request))


Reading = Annotated[ReadModelReader, Depends(read_model_reader)]


def answer(body: BaseModel, token: PositionToken, version: int | None = None) -> JSONResponse:
    """200, with the token of the read model, and the version of the row."""
    headers: dict[str, Any] = {"Foldstream-Position": tokens.write(token)}
    if version is not None:
        headers["ETag"] = f'"{version}"'
    return JSONResponse(body.model_dump(mode="json"), 200, headers)
