"""Prints which views there are, for people or as JSON."""

from typing import Any, Final

from infrastructure.terminal import print_json, print_line
from infrastructure.times import time_text
from infrastructure.views.definition import ViewDefinition
from service.cli.views.survey import ListedView, listed, reading_views
from service.consumers import PROJECTIONS
from service.settings import Settings
from service.tables import print_table

_COLUMNS: Final = ("view", "projection", "state", "as of", "position", "rows", "bytes", "expires", "made by")
_NONE: Final = "—"


def print_views(settings: Settings, *, as_json: bool) -> int:
    """Prints all of them. Raises RedisUnavailable, ViewsUnusable."""
    with reading_views(settings):
        found = listed(settings, [projection.name for projection in PROJECTIONS])
    if as_json:
        print_json({"views": [{**view_answer(each.view), **_held(each)} for each in found]})
    elif found:
        print_table(_COLUMNS, map(_row, found))
    else:
        print_line("There are no views; `foldstream rebuild PROJECTION --into NAME` makes one.")
    return 0


def view_answer(view: ViewDefinition) -> dict[str, Any]:
    """What a view is, as JSON."""
    return {
        "view": view.name,
        "projection": view.projection,
        "version": view.version,
        "state": view.state,
        **view.span.stored(),
        "position": view.position,
        "partitions": view.partitions,
        "store": view.store,
        "made_at": time_text(view.made_at),
        "made_by": view.made_by,
        "why": view.why,
        "expires": time_text(view.expires),
    }


def _held(listed: ListedView) -> dict[str, Any]:
    return {"rows": listed.rows, "bytes": listed.bytes}


def _row(listed: ListedView) -> tuple[str, ...]:
    view = listed.view
    return (
        view.name,
        view.projection,
        view.state,
        str(view.span),
        _NONE if view.position is None else str(view.position),
        f"{listed.rows:,}",
        _NONE if listed.bytes is None else f"{listed.bytes:,}",
        time_text(view.expires.replace(microsecond=0)),
        view.made_by,
    )
