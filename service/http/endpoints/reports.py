"""Makes an endpoint of every report that a read model declares, and one of each page, with all reports of it."""

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, TypeAlias, get_type_hints

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field, RootModel, WithJsonSchema, create_model

from infrastructure.readmodels.partition_result import earliest
from infrastructure.readmodels.position_token import PositionToken
from projections.projection import Projection
from projections.reports import AnyReport, Days, TopReport
from service.access.action import Action
from service.consumers import PROJECTIONS
from service.http.endpoints import queries
from service.http.endpoints.documentation import documented
from service.http.endpoints.parameters import LARGEST_PAGE, Day, whole_number
from service.http.endpoints.queries import Freshness, Reading, ReadModelReader
from service.http.middleware.admission import does
from service.http.middleware.strict_route import StrictRoute
from service.http.problems import Fault, malformed

DEFAULT_DAYS: Final = 30
MOST_YEARS: Final = 100
"""How many years a range of days may span: what is read for it is bounded so."""
_DEFAULT_TOP: Final = 10
Top: TypeAlias = Annotated[
    int,
    whole_number(1, LARGEST_PAGE),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": _DEFAULT_TOP}),
]


class DaysParameters(Freshness):
    """Which days, both included, and how fresh: without `to` up to today, without `from` 30 days."""

    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None

    def days(self, today: date) -> Days:
        """The days that are asked for. Raises Problem `malformed` where they span too many years."""
        last = self.to or today
        first = self.from_ or date.fromordinal(max(1, last.toordinal() - DEFAULT_DAYS + 1))
        if last.year - first.year > MOST_YEARS:
            raise malformed(
                [Fault(pointer="?from", reason=f"should be at most {MOST_YEARS} years before the last day")]
            )
        return Days(first=first, last=last)


class TopParameters(Freshness):
    """How many of the first, and how fresh."""

    limit: Top = _DEFAULT_TOP


Answered: TypeAlias = tuple[Any, PositionToken]


@dataclass(frozen=True, slots=True)
class ReportEndpoint:
    """The endpoint of one report of a read model."""

    projection: Projection[Any]
    report: AnyReport

    @property
    def form(self) -> Any:
        """The class of its figures."""
        return get_type_hints(self.report.answer)["return"]

    @property
    def parameters(self) -> type[Freshness]:
        """Those of its query, all of which have defaults."""
        if isinstance(self.report, TopReport):
            return TopParameters
        return DaysParameters if self.report.of_days else Freshness

    async def figures(self, asked: Freshness, reading: ReadModelReader) -> Answered:
        """The figures, and what they are as of. Raises what reading raises, and Problem `malformed`."""
        if isinstance(self.report, TopReport):
            limit = asked.limit if isinstance(asked, TopParameters) else _DEFAULT_TOP
            ranking = await reading.ranked(self.projection, self.report.group, limit, asked)
            return self.report.answer(ranking.members), ranking.token
        days = (asked if isinstance(asked, DaysParameters) else DaysParameters()).days(_today())
        found = await reading.sums(self.projection, self.report.groups(days), asked)
        return self.report.answer(found.groups, days), found.token


@dataclass(frozen=True, slots=True)
class PageEndpoint:
    """The endpoint of all reports of a page, each with its defaults."""

    reports: Sequence[ReportEndpoint]

    @property
    def form(self) -> Any:
        """A member for each report."""
        members: dict[str, Any] = {_member(each.report): (each.form, ...) for each in self.reports}
        return create_model(self.reports[0].report.page.title(), __doc__="All reports of the page.", **members)

    async def figures(self, asked: Freshness, reading: ReadModelReader) -> Answered:
        """All figures, and what the oldest are as of. No wait for one takes from more than the time asked for."""
        figures, tokens, deadline = {}, [], time.monotonic() + asked.wait
        for each in self.reports:
            left = asked.model_copy(update={"wait": max(0.0, deadline - time.monotonic())})
            figures[_member(each.report)], token = await each.figures(left, reading)
            tokens.append(token)
        return figures, earliest(tokens)


def router_of(projections: Iterable[Projection[Any]]) -> APIRouter:
    """The endpoints of all reports of these read models, and of the pages that they are on."""
    made, pages = APIRouter(route_class=StrictRoute), dict[str, list[ReportEndpoint]]()
    for projection in projections:
        for report in projection.reports:
            pages.setdefault(report.page, []).append(ReportEndpoint(projection, report))
    for page, reports in pages.items():
        whole, about = PageEndpoint(reports), f"All reports of the {page}, each with its defaults."
        _add(made, f"/{page}", about, whole.figures, whole.form, Freshness)
        for each in reports:
            path = f"/{page}/{each.report.name}"
            _add(made, path, each.report.about, each.figures, each.form, each.parameters)
    return made


def _add(
    made: APIRouter,
    path: str,
    about: str,
    figures: Callable[[Any, ReadModelReader], Awaitable[Answered]],
    form: Any,
    parameters: type[Freshness],
) -> None:
    body: type[RootModel[Any]] = RootModel[form]

    async def answer(asked: Any, reading: Reading) -> JSONResponse:
        found, token = await figures(asked, reading)
        return queries.answer(body(found), token)

    answer.__annotations__["asked"] = Annotated[parameters, Query()]
    tag, name = path.split("/")[1], "read_" + path[1:].replace("/", "_").replace("-", "_")
    made.add_api_route(
        path,
        answer,
        methods=["GET"],
        name=name,
        tags=[tag],
        description=about,
        response_model=form,
        responses=documented("list"),
        openapi_extra=does(Action.READ_REPORTS),
    )


def _member(report: AnyReport) -> str:
    return report.name.replace("-", "_")


def _today() -> date:
    return datetime.now(UTC).date()


router: Final = router_of(PROJECTIONS)
