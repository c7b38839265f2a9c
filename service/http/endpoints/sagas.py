"""Sagas as operators see them: all instances as a list, and one of them with what happened to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeAlias

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, WithJsonSchema

from domain.errors import Unknown
from domain.stream_name import HEX_DIGITS, stream_name
from infrastructure.history.records import Records
from infrastructure.readmodels.answers import RowAtPosition
from infrastructure.readmodels.text_order import MemberPage, PageQuery
from projections.projection import Projection
from projections.saga_instance import Status
from projections.saga_status import SagaStatuses
from service.access.action import Action
from service.consumers import SAGA_STATUS, SAGAS
from service.http import tokens
from service.http.endpoints import queries
from service.http.endpoints.documentation import documented
from service.http.endpoints.forms import Name
from service.http.endpoints.histories import Reader
from service.http.endpoints.parameters import Limit, spelled, whole_number
from service.http.endpoints.queries import Freshness, Reading, ReadModelReader
from service.http.middleware.admission import does
from service.http.middleware.strict_route import StrictRoute
from service.http.problems import Fault, malformed
from service.sagas.instance_lists import Asked, listed
from service.sagas.shapes import SagaAnswer, SagaInList, in_list, moment_answer, unknown_type
from service.sagas.timelines import first_version_of, timeline_of

router = APIRouter(route_class=StrictRoute, tags=["sagas"])
_TYPES: Final = {saga.category: saga for saga in SAGAS}
_STATUS: Final = {projection.category: projection for projection in SAGA_STATUS}
_OLDEST: Final = 10**9
"""Seconds: some thirty years."""


def _known(name: str) -> str:
    if name not in _TYPES:
        raise ValueError(unknown_type(name))
    return name


Type: TypeAlias = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(_TYPES)})]
StepName: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=r"^[\x21-\x7e]{1,200}$"),
    spelled("should be the name of a step, such as charge or reserve:mug-blue"),
]
Age: TypeAlias = Annotated[
    int, whole_number(0, _OLDEST), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": _OLDEST})
]
TypePath: TypeAlias = Annotated[Name, Path(description=f"The saga: {', '.join(_TYPES)}.")]
IdPath: TypeAlias = Annotated[Name, Path(description="The instance: of fulfilment the order's id.")]


class SagasListing(Freshness):
    """Which instances, and which part of them. `key` is the order's or trip's id, `step` a whole name or the part
    before its colon; `older_than` is for how many seconds nothing has happened to them, attempts at a message aside."""

    type_: Type | None = Field(default=None, alias="type")
    status: Status | None = None
    step: StepName | None = None
    key: Name | None = None
    older_than: Age | None = None
    limit: Limit = 20
    cursor: tokens.ListCursor | None = None


class SagasPage(BaseModel):
    """A part of the instances, the latest change first; `next` is the cursor of the part after it, null at the end."""

    sagas: list[SagaInList]
    next: str | None


@dataclass(frozen=True, slots=True)
class _StatusReader:
    """Reads what one request asks for, as fresh as it asks for it."""

    reading: ReadModelReader
    freshness: Freshness

    async def row(self, projection: Projection[SagaStatuses], key: str) -> RowAtPosition[SagaStatuses]:
        return await self.reading.row(projection, key, self.freshness)

    async def members(self, projection: Projection[Any], page: PageQuery) -> MemberPage:
        return await self.reading.members(projection, page, self.freshness)

    async def rows(self, projection: Projection[SagaStatuses], keys: Sequence[str]) -> list[SagaStatuses]:
        return await self.reading.rows(projection, keys, self.freshness)


@router.get(
    "/sagas",
    response_model=SagasPage,
    responses=documented("list"),
    openapi_extra=does(Action.LIST_SAGAS),
)
async def list_sagas(listing: Annotated[SagasListing, Query()], reading: Reading) -> JSONResponse:
    """The instances of all sagas, or of one, the latest change first."""
    name = ":".join(str(each) for each in (listing.type_, listing.status, listing.step))
    asked = Asked(
        listing.status,
        listing.step,
        listing.key and listing.key.lower(),
        _before(listing.older_than),
        listing.limit,
        _after(name, listing),
    )
    projections = SAGA_STATUS if listing.type_ is None else (_STATUS[listing.type_],)
    found = await listed(_StatusReader(reading, listing), projections, asked)
    page = SagasPage(sagas=[in_list(each) for each in found.instances], next=tokens.write_list_cursor(name, found.next))
    return queries.answer(page, found.token)


@router.get(
    "/sagas/{saga_type}/{saga_id}",
    response_model=SagaAnswer,
    responses=documented(
        "query", "unknown-saga", "unknown-stream", "stream-gone", "store-unavailable", "unreadable-event"
    ),
    openapi_extra=does(Action.READ_SAGA),
)
async def read_saga(
    saga_type: TypePath,
    saga_id: IdPath,
    freshness: Annotated[Freshness, Query()],
    reading: Reading,
    reader: Reader,
) -> JSONResponse:
    """An instance, and its timeline: read from the event store as far as the read model is, the newest 1,000 events."""
    key = saga_id.lower()
    saga = _TYPES.get(saga_type)
    if saga is None or key[-1] not in HEX_DIGITS:
        raise Unknown("saga", f"{saga_type} {saga_id}")
    stream = stream_name(saga.category, key)
    read = await reading.row(_STATUS[saga_type], key, freshness)
    instance = None if read.row is None else read.row.of_stream(stream)
    if instance is None:
        raise Unknown("saga", f"{saga_type} {saga_id}")

    def look_back(records: Records) -> object:
        told = [moment_answer(each) for each in timeline_of(records, saga, instance)]
        summary = in_list(instance).model_dump()
        answer = SagaAnswer(**summary, first_version=first_version_of(instance), timeline=told)
        return answer.model_dump(mode="json")

    answer = await reader.read_stream(stream, look_back)
    answer.headers["Foldstream-Position"] = tokens.write(read.token)
    answer.headers["ETag"] = f'"{instance.version}"'
    return answer


def _before(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.now(UTC) - timedelta(seconds=seconds)


def _after(name: str, listing: SagasListing) -> str | None:
    """The member that the page begins after. Raises Problem `malformed`."""
    if listing.cursor is None:
        return None
    try:
        return tokens.read_list_cursor(name, listing.cursor)
    except ValueError as error:
        raise malformed([Fault(pointer="?cursor", reason=str(error))]) from error
