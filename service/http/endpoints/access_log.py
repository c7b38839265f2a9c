"""The access log of the caller's tenant: who looked at what, who did what, and whom it was refused."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from typing_extensions import TypedDict

from infrastructure.access.access_entry import LONGEST
from infrastructure.access.access_reader import Place, Wanted, access_part, window
from infrastructure.eventstore.errors import place_of
from infrastructure.eventstore.log_reader import LogReader
from service.access.action import Action
from service.access.answers import AccessEntry, entry_answer
from service.history.sources import stream_called
from service.http import tokens
from service.http.endpoints.documentation import documented
from service.http.endpoints.histories import Reader
from service.http.endpoints.parameters import Limit, Time
from service.http.middleware.admission import does
from service.http.middleware.callers import caller_of
from service.http.middleware.strict_route import StrictRoute
from service.http.numbers import DIGITS, number_in
from service.http.problems import Fault, malformed

router = APIRouter(route_class=StrictRoute, tags=["history"])
_CURSOR: Final = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})\.({DIGITS})")
_LARGEST: Final = 2**63 - 1
Text: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]


def _place(cursor: str) -> Place:
    """Raises ValueError for what no answer has given out."""
    found = _CURSOR.fullmatch(cursor)
    version = None if found is None else number_in(found[2], _LARGEST)
    if found is None or version is None:
        raise ValueError(tokens.UNKNOWN)
    try:
        return Place(date.fromisoformat(found[1]), version)
    except ValueError as error:
        raise ValueError(tokens.UNKNOWN) from error


def _known(cursor: str) -> str:
    _place(cursor)
    return cursor


Cursor: TypeAlias = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "pattern": f"^{_CURSOR.pattern}$"})
]


class AccessQuery(BaseModel):
    """Whose entries, of what, from when (a week ago, unless said) and before when; and which part of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Text | None = None
    resource: Text | None = None
    action: Text | None = None
    since: Time | None = Field(default=None, alias="from")
    until: Time | None = Field(default=None, alias="to")
    limit: Limit = 20
    cursor: Cursor | None = None


class UnreadableEntry(TypedDict):
    """An entry that this release can't read, and where it lies."""

    stream: str
    version: int
    position: str


class AccessAnswer(TypedDict):
    """A part of the entries, oldest first; `next` is the cursor of the part after it, whatever this one holds."""

    entries: list[AccessEntry]
    unreadable: list[UnreadableEntry]
    next: str | None


@router.get(
    "/access-log",
    response_model=AccessAnswer,
    responses=documented("history"),
    openapi_extra=does(Action.READ_ACCESS_LOG),
)
async def read_access_log(request: Request, query: Annotated[AccessQuery, Query()], reader: Reader) -> JSONResponse:
    """Who looked back and who operated, and whom it was refused: of the caller's tenant, and this reading too."""
    tenant, wanted = caller_of(request).tenant, _wanted(query)
    first = None if query.cursor is None else _place(query.cursor)

    def look_back(log: LogReader) -> object:
        part = access_part(log, tenant, wanted, first, query.limit)
        return AccessAnswer(
            entries=[entry_answer(entry) for entry in part.entries],
            unreadable=[_unreadable(error) for error in part.unreadable],
            next=None if part.following is None else f"{part.following.day}.{part.following.version}",
        )

    return await reader.read_log(look_back)


def _wanted(query: AccessQuery) -> Wanted:
    try:
        since, until = window(query.since, query.until, datetime.now(UTC))
    except ValueError as error:
        raise malformed([Fault(pointer="?from", reason=str(error))]) from error
    resource = None if query.resource is None else stream_called(query.resource)
    return Wanted(since, until, query.subject, resource, query.action)


def _unreadable(error: BaseException) -> UnreadableEntry:
    place = place_of(error)
    return UnreadableEntry(
        stream=str(place["stream"]),
        version=int(place["version"]),
        position=tokens.write_number(int(place["position"])),
    )
