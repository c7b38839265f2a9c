"""Makes an endpoint of every list that a read model declares: its parameters, its answer, its place in OpenAPI."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, WithJsonSchema, create_model

from domain import terms
from domain.money import Money
from infrastructure.readmodels.text_order import PageQuery
from projections.projection import Add, Projection, Row
from projections.row_lists import Range, RowList
from service.access.action import Action
from service.consumers import PROJECTIONS
from service.http import tokens
from service.http.endpoints import queries
from service.http.endpoints.answers import digits
from service.http.endpoints.documentation import documented
from service.http.endpoints.forms import Name
from service.http.endpoints.parameters import LARGEST, Time, whole_number
from service.http.endpoints.queries import Freshness, Listing, Reading
from service.http.middleware.admission import does
from service.http.middleware.strict_route import StrictRoute
from service.http.problems import Fault, malformed

_Number = Annotated[int, whole_number(0), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": LARGEST})]
_READ_AS: Final[Mapping[Any, Any]] = {datetime: Time, int: _Number, terms.Name: Name}
"""How a parameter of this type is read; other types are read as pydantic reads them."""


def router_of(projections: Iterable[Projection[Any]]) -> APIRouter:
    """The endpoints of all lists of these read models."""
    made = APIRouter(route_class=StrictRoute)
    for projection in projections:
        for rows in projection.lists:
            _Endpoint(projection, rows, _page(rows, projection.row)).add_to(made)
    return made


@dataclass(frozen=True, slots=True)
class _Endpoint:
    projection: Projection[Any]
    rows: RowList
    page: type[BaseModel]

    def add_to(self, router: APIRouter) -> None:
        name = self.rows.name

        async def answer(listing: Any, reading: Reading) -> JSONResponse:
            return await self._answer(listing, reading)

        answer.__annotations__["listing"] = Annotated[_parameters(self.rows), Query()]
        router.add_api_route(
            f"/{name}",
            answer,
            methods=["GET"],
            name=f"list_all_{name}",
            tags=[name],
            description=self.rows.about,
            response_model=self.page,
            responses=documented("list"),
            openapi_extra=does(action_of(name)),
        )

    async def _answer(self, listing: Any, reading: queries.ReadModelReader) -> JSONResponse:
        part = self.rows.range_of(_filters(self.rows, listing))
        page = PageQuery(part, listing.limit, _after(part, listing.cursor), self.rows.newest_first)
        freshness = Freshness.model_construct(**{name: getattr(listing, name) for name in Freshness.model_fields})
        found = await reading.members(self.projection, page, freshness)
        rows = await reading.rows(self.projection, [self.rows.row_in(member) for member in found.members], freshness)
        items = [_item(self.rows, row) for row in rows if self._lists(part, row)]
        body = {self.rows.name: items, "next": tokens.write_list_cursor(part.index, found.next)}
        return queries.answer(self.page(**body), found.token)

    def _lists(self, part: Range, row: Row) -> bool:
        """Whether the row, which was read after its entry, still belongs there."""
        changes = self.projection.index(None, row)
        return any(part.has(each.entry.index, each.entry.member) for each in changes if isinstance(each, Add))


def action_of(name: str) -> Action:
    """What reading the list of this name is; the lists that have no action of their own have one together."""
    own = f"list-{name}"
    return Action(own) if own in set(Action) else Action.LIST_ROWS


def _parameters(rows: RowList) -> type[BaseModel]:
    hints = get_type_hints(rows.filters, include_extras=True)
    members: dict[str, Any] = {
        field.name: (_read_as(hints[field.name]), Field(default=None, alias=field.name.removesuffix("_")))
        for field in fields(rows.filters)
    }
    title = f"{rows.name.title()}Parameters"
    return create_model(title, __base__=Listing, cursor=(tokens.ListCursor | None, None), **members)


def _read_as(hint: Any) -> Any:
    """The type that a parameter is read as: of those that `X | None` names, X."""
    kinds = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    read = [_READ_AS.get(kind, kind) for kind in kinds if kind is not type(None)]
    if len(read) != 1:
        raise TypeError(f"a filter is of one type or None, unlike {hint}")
    return read[0] | None


def _filters(rows: RowList, listing: BaseModel) -> Any:
    return rows.filters(**{field.name: getattr(listing, field.name) for field in fields(rows.filters)})


def _after(part: Range, cursor: str | None) -> str | None:
    """The member that the page begins after. Raises Problem `malformed`."""
    if cursor is None:
        return None
    try:
        return tokens.read_list_cursor(part.index, cursor)
    except ValueError as error:
        raise malformed([Fault(pointer="?cursor", reason=str(error))]) from error


def _page(rows: RowList, row: type[Row]) -> type[BaseModel]:
    """The model of the answer; an amount is text."""
    hints = get_type_hints(row)
    shown: dict[str, Any] = {name: (str if hints[name] is Money else hints[name], ...) for name in rows.shows}
    item = create_model(row.__name__, __doc__=f"One of the {rows.name}.", **shown)
    members: dict[str, Any] = {rows.name: (list[item], ...), "next": (str | None, ...)}
    about = f"A part of the {rows.name}; `next` is the cursor of the part after it, null at the end."
    return create_model(f"{rows.name.title()}Page", __doc__=about, **members)


def _item(rows: RowList, row: Row) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in rows.shows}
    return {name: digits(each) if isinstance(each, Money) else each for name, each in shown.items()}


router: Final = router_of(PROJECTIONS)
