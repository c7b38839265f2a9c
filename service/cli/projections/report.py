"""Prints how projections fare and what they hold, once or again and again, for people or as JSON."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from infrastructure.readmodels.sizes import Sizes
from infrastructure.terminal import (
    flush_output,
    json_text,
    print_json,
    print_line,
    print_raw,
    printable,
    speaks_unicode,
)
from infrastructure.times import time_text
from projections.projection import Projection
from service.cli.projections import answers, tables
from service.cli.projections.statuses import Holders, ProjectionStatus
from service.cli.projections.survey import survey
from service.settings import Settings
from service.tables import print_table

_EVERY: Final = 1.0
_TOP_OF_A_CLEAR_SCREEN: Final = "\x1b[H\x1b[J"


def print_lag(settings: Settings, projections: Sequence[Projection[Any]], *, as_json: bool) -> int:
    """Prints how far each of them lags. Raises StoreUnavailable, RedisUnavailable."""

    async def look() -> list[ProjectionStatus]:
        async with survey(settings) as looking:
            return await looking.settled_look(projections)

    found = asyncio.run(look())
    if as_json:
        print_json(answers.lag_document(found, datetime.now(UTC)))
    else:
        print_table(tables.LAG_COLUMNS, tables.lag_rows(found))
        _print_details(found)
    return 0


def watch_lag(settings: Settings, projections: Sequence[Projection[Any]], *, as_json: bool) -> int:
    """The same each second, until it is interrupted or nobody reads it any more: lines, or a table on a terminal."""

    async def watch() -> None:
        async with survey(settings) as looking:
            while _print_look(await looking.look(projections), as_json=as_json):  # noqa: ASYNC110 - an interval
                await asyncio.sleep(_EVERY)

    asyncio.run(watch())
    return 0


def _print_look(found: list[ProjectionStatus], *, as_json: bool) -> bool:
    """Whether somebody reads it."""
    now = datetime.now(UTC)
    if as_json:
        text = json_text(answers.lag_document(found, now), ascii_only=not speaks_unicode(sys.stdout))
        return print_raw(text) and flush_output()
    if not sys.stdout.isatty():
        return print_raw("\n".join(map(printable, tables.lag_lines(found, now)))) and flush_output()
    print_raw(f"{_TOP_OF_A_CLEAR_SCREEN}{time_text(now)}")
    print_table(tables.LAG_COLUMNS, tables.lag_rows(found))
    _print_details(found)
    return flush_output()


def print_list(settings: Settings, projections: Sequence[Projection[Any]], *, as_json: bool) -> int:
    """Prints their generations. Raises StoreUnavailable, RedisUnavailable."""

    async def look() -> tuple[list[ProjectionStatus], list[list[Holders]]]:
        async with survey(settings) as looking:
            found = await looking.look(projections)
            return found, [[await looking.holders(each.projection, own) for own in each.generations] for each in found]

    found, holders = asyncio.run(look())
    if as_json:
        print_json({"projections": list(map(answers.listed_answer, found, holders))})
    else:
        print_table(tables.LIST_COLUMNS, tables.list_rows(found, holders))
        _print_details(found)
    return 0


def print_one(settings: Settings, projection: Projection[Any], *, as_json: bool) -> int:
    """Prints what each partition of a projection holds. Raises StoreUnavailable, RedisUnavailable."""

    async def look() -> tuple[ProjectionStatus, list[list[Sizes]], list[Holders]]:
        async with survey(settings) as looking:
            [found] = await looking.look([projection])
            sizes = [await looking.sizes(projection, each) for each in found.generations]
            return found, sizes, [await looking.holders(projection, each) for each in found.generations]

    found, sizes, holders = asyncio.run(look())
    if as_json:
        print_json(answers.shown_answer(found, sizes, holders))
        return 0
    print_line(f"{projection.name}, version {projection.version}: {found.condition.word}")
    _print_details([found])
    if found.generations:
        print_table(tables.SHOW_COLUMNS, tables.show_rows(found, sizes, holders))
    return 0


def _print_details(found: Sequence[ProjectionStatus]) -> None:
    """Why those are not ok that are not."""
    for each in found:
        if each.detail is not None:
            print_line(f"{each.projection.name}: {each.detail}")
