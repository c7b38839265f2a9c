"""Lets a projection begin in the middle of its streams, for a view of what happened since a time or position."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from domain.message import Recorded
from projections.projection import Projection, RowT

_Handler: TypeAlias = Callable[[RowT | None, Any], RowT | None]


def beginning_midway(projection: Projection[RowT]) -> Projection[RowT]:
    """The same, folded as if each stream began where it is first met.

    A handler that can't begin a row there, since it needs what was before, is passed by until one can.
    """
    handlers = {event: _beginning_midway(handler) for event, handler in projection.handlers.items()}
    return replace(projection, handlers=handlers)


def _beginning_midway(handler: _Handler[RowT]) -> _Handler[RowT]:
    def handle(row: RowT | None, recorded: Recorded[Any]) -> RowT | None:
        if row is not None or recorded.version == 0:
            return handler(row, recorded)
        try:
            return handler(None, recorded)
        except Exception:  # noqa: BLE001 - whatever it raises says that it can't begin a row here
            return None

    return handle
