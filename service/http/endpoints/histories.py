"""Looking back: a stream as it is stored, its state as of any time, its changes, and the tree of a correlation id."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from typing_extensions import TypedDict

from domain.stream_name import names_tenant
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.schema_check import Window
from infrastructure.eventstore.stream_patterns import category_pattern
from infrastructure.history.errors import (
    CORRELATION_IDS,
    HistoryError,
    NothingTraced,
    UnknownCategory,
    UnknownCursor,
    UnknownStream,
)
from infrastructure.history.pages import records_page
from infrastructure.history.past import StateAsOf
from infrastructure.history.records import Records
from infrastructure.history.trace import PART, Found, find_part
from service.access.action import Action
from service.history.answers import change_answer, record_answer, state_answer, trace_answer
from service.history.causes import of_categories
from service.history.hints import hinted, with_stream
from service.history.shapes import ChangeAnswer, StateAnswer, StoredEvent, TraceAnswer
from service.history.sources import BOUNDARIES, boundary_of, name_in_tenant, past_of, stream_called
from service.http import tokens
from service.http.endpoints.documentation import documented
from service.http.endpoints.forms import UUID_FORM, UUID_SCHEMA
from service.http.endpoints.parameters import LARGEST, Limit, Time, spelled, whole_number
from service.http.history_threads import HistoryThreads
from service.http.middleware.admission import does
from service.http.middleware.callers import caller_of
from service.http.middleware.strict_route import StrictRoute
from service.http.problems import Fault, malformed
from service.http.refusals import problem_of_history

router = APIRouter(route_class=StrictRoute, prefix="/history", tags=["history"])
_OF_A_STREAM: Final = ("unknown-stream", "unknown-category", "stream-gone")
_MOST_SEARCHED: Final = 100_000
_MOST_PARTS: Final = 20  # of links, which are looked through for what is the caller's
Version: TypeAlias = Annotated[
    int, whole_number(0), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": LARGEST})
]
SearchLimit: TypeAlias = Annotated[
    int,
    whole_number(1, _MOST_SEARCHED),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _MOST_SEARCHED, "default": 10_000}),
]
_PREFIX: Final = r"([a-z][a-z0-9_]{0,31}\.)"
StreamPath: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=rf"^({_PREFIX}?[a-z][a-z0-9_]{{0,31}}[-:][A-Za-z0-9._:-]{{1,64}}|{UUID_FORM})$"),
    spelled("should be a category, - or :, and 1 to 64 of A-Z a-z 0-9 . _ : -, such as order-<id> or stock:mug-blue"),
    Path(description="Such as account-<id>, order-<id>, fulfilment-<order id> or stock:<SKU>."),
]


CorrelationPath: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=f"^{UUID_FORM}$", to_lower=True),
    spelled(f"should be a UUID; {CORRELATION_IDS}"),
    UUID_SCHEMA,
    Path(),
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


class HistoryQuery(BaseModel):
    """Which part of a stream: at most `limit` events, from `cursor`, a `next` of before, on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Limit = 20
    cursor: tokens.Cursor | None = None


class StateQuery(BaseModel):
    """A time by the clock of the event store, or a version: one of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Time | None = None
    version: Version | None = None


class ChangesQuery(HistoryQuery):
    """What was written since `from`, and before `to`, and which part of it."""

    since: Time | None = Field(default=None, alias="from")
    until: Time | None = Field(default=None, alias="to")


class TraceQuery(BaseModel):
    """How far to look: at most `limit` events, and none beyond the first written before `from`.

    A part looks at 2,000 of them at most; `cursor`, a `next` of before, is where it begins.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: SearchLimit = 10_000
    since: Time | None = Field(default=None, alias="from")
    cursor: tokens.TraceCursor | None = None


@dataclass(frozen=True, slots=True)
class HistoryReader:
    """Looks back for one request. Its methods raise Problem.

    The answer is serialized in the thread that read the log: it may be long.
    """

    threads: HistoryThreads
    tenant: str

    async def read_stream(self, name: str, look_back: Callable[[Records], object]) -> JSONResponse:
        """What `look_back` finds in one stream, of a known category only: the store keeps secrets in others.

        It is the caller's tenant's: a name with a tenant in front is that of no stream, whoever asks.
        """
        with _problems():
            if names_tenant(name):
                raise UnknownStream(name)
            stream = stream_called(name, self.tenant).lower()  # as ids are elsewhere
            return await self.threads.run(
                lambda reader: JSONResponse(self._looked_back(reader, stream, look_back)), self.tenant
            )

    async def read_log(self, look_back: Callable[[LogReader], object]) -> JSONResponse:
        """What `look_back` finds in the whole log."""
        with _problems():
            return await self.threads.run(lambda reader: JSONResponse(look_back(reader)), self.tenant)

    def called(self, stream: str) -> str:
        """As the caller calls it."""
        return name_in_tenant(stream, self.tenant)

    def _looked_back(self, reader: LogReader, stream: str, look_back: Callable[[Records], object]) -> object:
        records = Records(reader, stream)
        try:
            boundary_of(stream)
            return look_back(records)
        except (UnknownStream, UnknownCategory) as error:
            raise hinted(error, records, self.tenant) from error


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except UnknownCursor as error:
        raise malformed([Fault(pointer="?cursor", reason=tokens.UNKNOWN)]) from error
    except (HistoryError, EventStoreError) as error:
        raise problem_of_history(error) from error


async def history_reader(request: Request) -> HistoryReader:
    """The reader of this request."""
    return HistoryReader(request.app.state.connections.history_threads, caller_of(request).tenant)


Reader: TypeAlias = Annotated[HistoryReader, Depends(history_reader)]


@router.get(
    "/trace/{correlation_id}",
    response_model=TraceAnswer,
    responses=documented("history", "unknown-correlation-id"),
    openapi_extra=does(Action.READ_TRACE),
)
async def read_trace(
    correlation_id: CorrelationPath, query: Annotated[TraceQuery, Query()], reader: Reader
) -> JSONResponse:
    """What a request caused, across all streams: commands, their events, and what followed from those."""

    def look_back(log: LogReader) -> object:
        asked = UUID(correlation_id)
        found = _own_part(log, asked, query, reader.tenant)
        if not found.records and found.complete and query.cursor is None:
            raise with_stream(NothingTraced(asked, "the streams that have a history here"), log, reader.tenant)
        answer = trace_answer(correlation_id, found)
        for command in answer["commands"]:
            command["stream"] = reader.called(command["stream"])
        return answer

    return await reader.read_log(look_back)


def _own_part(log: LogReader, asked: UUID, query: TraceQuery, tenant: str) -> Found:
    """The part with what is the tenant's. Of links that lead to nothing of it nobody is told, not even that there are
    more: the id may be that of a request of somebody else."""
    pattern, cursor = category_pattern(BOUNDARIES, tenant), query.cursor
    for _ in range(_MOST_PARTS):
        part = find_part(log, asked, pattern, min(query.limit, PART), since=query.since, cursor=cursor)
        found, cursor = of_categories(part, BOUNDARIES, tenant), part.following
        if found.records or found.complete or found.searched is not None:
            return found
    return Found((), None)


@router.get(
    "/{stream}",
    response_model=HistoryAnswer,
    responses=documented("history", *_OF_A_STREAM),
    openapi_extra=does(Action.READ_HISTORY),
)
async def read_history(stream: StreamPath, query: Annotated[HistoryQuery, Query()], reader: Reader) -> JSONResponse:
    """The events of a stream as they are stored, oldest first, with who and what caused them."""

    def look_back(records: Records) -> object:
        page = records_page(records, query.cursor or 0, query.limit)
        events = [record_answer(record) for record in page.records]
        return HistoryAnswer(
            stream=reader.called(records.stream), events=events, next=tokens.write_cursor(page.following)
        )

    return await reader.read_stream(stream, look_back)


@router.get(
    "/{stream}/as-of",
    response_model=StateAnswer,
    responses=documented("history", *_OF_A_STREAM, "out-of-reach", "unreadable-event"),
    openapi_extra=does(Action.READ_HISTORY),
)
async def read_state(stream: StreamPath, query: Annotated[StateQuery, Query()], reader: Reader) -> JSONResponse:
    """The state of a stream as of a time by the event store's clock, or after a version."""

    def told(found: StateAsOf) -> StateAnswer:
        return {**state_answer(found), "stream": reader.called(found.stream)}

    at, version = query.at, query.version
    if at is not None and version is None:
        return await reader.read_stream(stream, lambda records: told(past_of(records).as_of_time(at)))
    if version is not None and at is None:
        return await reader.read_stream(stream, lambda records: told(past_of(records).as_of_version(version)))
    raise malformed([Fault(pointer="?at", reason="either this or version has to be given")])


@router.get(
    "/{stream}/changes",
    response_model=ChangesAnswer,
    responses=documented("history", *_OF_A_STREAM, "unreadable-event"),
    openapi_extra=does(Action.READ_HISTORY),
)
async def read_changes(stream: StreamPath, query: Annotated[ChangesQuery, Query()], reader: Reader) -> JSONResponse:
    """Who changed what, because of what: each field before and after."""
    if query.since is not None and query.until is not None and query.until <= query.since:
        raise malformed([Fault(pointer="?to", reason="should be after from")])

    def look_back(records: Records) -> object:
        page = past_of(records).changes_page(Window(query.since, query.until), query.cursor or 0, query.limit)
        changes = [change_answer(change) for change in page.changes]
        return ChangesAnswer(
            stream=reader.called(records.stream), changes=changes, next=tokens.write_cursor(page.following)
        )

    return await reader.read_stream(stream, look_back)
