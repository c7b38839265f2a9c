"""Looking back: a stream as it is stored, its state as of any time, what changed it, and what caused what."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from esdbclient import EventStoreDBClient
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from typing_extensions import TypedDict

from infrastructure.eventstore.checking import Window
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.history.errors import HistoryError, NothingTraced
from infrastructure.history.records import Records
from infrastructure.history.trace import find
from service.history.answers import change_answer, record_answer, state_answer, trace_answer
from service.history.causes import newest, of_categories
from service.history.pages import past_of, records_page
from service.history.shapes import ChangeAnswer, StateAnswer, StoredEvent, TraceAnswer
from service.history.sources import BOUNDARIES, boundary_of, stream_called
from service.http import tokens
from service.http.documentation import documented
from service.http.forms import Uuid
from service.http.problems import Fault, malformed
from service.http.queries import Limit
from service.http.readers import Readers
from service.http.refusals import problem_of_a_look_back
from service.http.strict_route import StrictRoute

router = APIRouter(route_class=StrictRoute, prefix="/history", tags=["history"])
_OF_A_STREAM: Final = ("unknown-stream", "unknown-category", "stream-gone")
_MOST_SEARCHED: Final = 100_000
_MOST_TOLD: Final = 10_000  # events in a trace
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")


def _read_time(text: object) -> datetime:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise ValueError("should be a time in UTC such as 2026-03-01T15:00:00Z")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("should be a time that there is") from error


def _read_version(text: object) -> int:
    if not isinstance(text, str) or not re.fullmatch("0|[1-9][0-9]{0,17}", text):
        raise ValueError("should be a whole number from 0 on")
    return int(text)


def _read_most(text: object) -> int:
    if not isinstance(text, str) or not re.fullmatch("[1-9][0-9]{0,5}", text) or int(text) > _MOST_SEARCHED:
        raise ValueError(f"should be a whole number from 1 to {_MOST_SEARCHED}")
    return int(text)


Time: TypeAlias = Annotated[
    datetime, BeforeValidator(_read_time), WithJsonSchema({"type": "string", "format": "date-time"})
]
Version: TypeAlias = Annotated[int, BeforeValidator(_read_version), WithJsonSchema({"type": "integer", "minimum": 0})]
Most: TypeAlias = Annotated[
    int,
    BeforeValidator(_read_most),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _MOST_SEARCHED, "default": 10_000}),
]
StreamPath: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}[-:][A-Za-z0-9._:-]{1,64}$"),
    Path(description="Such as account-<id>, order-<id>, fulfilment-<order id> or stock:<SKU>."),
]


class HistoryAnswer(TypedDict):
    """A part of a stream, oldest first; `next` is the cursor of the part after it."""

    stream: str
    events: list[StoredEvent]
    next: str | None


class ChangesAnswer(TypedDict):
    """A part of what changed, oldest first; `next` is the cursor of the part after it, whatever this one holds."""

    stream: str
    changes: list[ChangeAnswer]
    next: str | None


class Part(BaseModel):
    """Which part of a stream: at most `limit` events, from `cursor`, a `next` of before, on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Limit = 20
    cursor: tokens.Cursor | None = None


class Moment(BaseModel):
    """A time by the clock of the event store, or a version: one of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Time | None = None
    version: Version | None = None


class Span(Part):
    """What was written since `from`, and before `to`, and which part of it."""

    since: Time | None = Field(default=None, alias="from")
    until: Time | None = Field(default=None, alias="to")


class Search(BaseModel):
    """How far to look: at most `limit` events, the newest first, and none beyond the first written before `from`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Most = 10_000
    since: Time | None = Field(default=None, alias="from")


@dataclass(frozen=True, slots=True)
class Lookout:
    """From where one request looks back. All of it raises Problem.

    The answer is written in the thread that looked: it may be long.
    """

    readers: Readers

    async def over(self, name: str, tell: Callable[[Records], object]) -> JSONResponse:
        """What is told of one stream. It has to be of a known category: a store keeps secrets in others."""
        with _problems():
            stream = stream_called(name).lower()  # as ids are elsewhere
            boundary_of(stream)
            return await self.readers.read(lambda client: JSONResponse(tell(Records(client, stream))))

    async def anywhere(self, tell: Callable[[EventStoreDBClient], object]) -> JSONResponse:
        """What is told of the whole log."""
        with _problems():
            return await self.readers.read(lambda client: JSONResponse(tell(client)))


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except (HistoryError, EventStoreError) as error:
        raise problem_of_a_look_back(error) from error


async def lookout(request: Request) -> Lookout:
    """The lookout of this request."""
    return Lookout(request.app.state.connections.readers)


Looking: TypeAlias = Annotated[Lookout, Depends(lookout)]


@router.get(
    "/trace/{correlation_id}", response_model=TraceAnswer, responses=documented("history", "unknown-correlation-id")
)
async def read_trace(
    correlation_id: Annotated[Uuid, Path()], search: Annotated[Search, Query()], looking: Looking
) -> JSONResponse:
    """What a request caused, across all streams: commands, their events, and what followed from those."""

    def tell(client: EventStoreDBClient) -> object:
        asked = UUID(correlation_id)
        found = of_categories(find(client, asked, BOUNDARIES, limit=search.limit, since=search.since), BOUNDARIES)
        if not found.records:
            raise NothingTraced(asked, "the streams that have a history here")
        return trace_answer(correlation_id, newest(found, _MOST_TOLD))

    return await looking.anywhere(tell)


@router.get("/{stream}", response_model=HistoryAnswer, responses=documented("history", *_OF_A_STREAM))
async def read_history(stream: StreamPath, part: Annotated[Part, Query()], looking: Looking) -> JSONResponse:
    """The events of a stream as they are stored, oldest first, with who and what caused them."""

    def tell(records: Records) -> object:
        page = records_page(records, part.cursor or 0, part.limit)
        events = [record_answer(record) for record in page.records]
        return HistoryAnswer(stream=records.stream, events=events, next=tokens.write_cursor(page.following))

    return await looking.over(stream, tell)


@router.get(
    "/{stream}/as-of",
    response_model=StateAnswer,
    responses=documented("history", *_OF_A_STREAM, "out-of-reach", "unreadable-event"),
)
async def read_state(stream: StreamPath, moment: Annotated[Moment, Query()], looking: Looking) -> JSONResponse:
    """The state of a stream as of a time by the event store's clock, or after a version."""
    at, version = moment.at, moment.version
    if at is not None and version is None:
        return await looking.over(stream, lambda records: state_answer(past_of(records).as_of_time(at)))
    if version is not None and at is None:
        return await looking.over(stream, lambda records: state_answer(past_of(records).as_of_version(version)))
    raise malformed([Fault(pointer="?at", reason="either this or version has to be given")])


@router.get(
    "/{stream}/changes",
    response_model=ChangesAnswer,
    responses=documented("history", *_OF_A_STREAM, "unreadable-event"),
)
async def read_changes(stream: StreamPath, span: Annotated[Span, Query()], looking: Looking) -> JSONResponse:
    """Who changed what, because of what: each field before and after."""
    if span.since is not None and span.until is not None and span.until <= span.since:
        raise malformed([Fault(pointer="?to", reason="should be after from")])

    def tell(records: Records) -> object:
        page = past_of(records).changes_page(Window(span.since, span.until), span.cursor or 0, span.limit)
        changes = [change_answer(change) for change in page.changes]
        return ChangesAnswer(stream=records.stream, changes=changes, next=tokens.write_cursor(page.following))

    return await looking.over(stream, tell)
