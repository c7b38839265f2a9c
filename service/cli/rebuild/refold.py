"""Folds one stream again from the log into the live generation, where Redis has something else of it."""

from typing import Any
from uuid import UUID

import typer

from domain.stream_name import StreamName, row_key_of, stream_name
from infrastructure.audits.audit import audit_of
from infrastructure.terminal import print_line, require_output
from projections.projection import Projection
from service.cli.rebuild.acts import Order, translated
from service.cli.rebuild.progress_lines import print_document
from service.cli.verbs import consented
from service.errors import NotRebuilt
from service.history.sources import stream_called
from service.workers.projections import deployment_of


def refold(order: Order, stream: str, *, yes: bool) -> int:
    """Says that it is repaired, or was right. Raises BadParameter for a stream that the projection does not fold,
    NotRebuilt, RedisUnavailable, EventStoreError."""
    name = _stream(order.projection, stream)
    require_output()
    if not consented(f"Fold {name} again into the live generation of {order.name}?", yes=yes):
        return 1
    with translated(order), audit_of(order.projection, deployment_of(order.settings)) as audit:
        outcome = audit.mend(row_key_of(name))
    if outcome not in {"repaired", "is right"}:
        raise NotRebuilt(order.name, f"{name}: {outcome}")
    if outcome == "repaired":
        order.act.log("stream_refolded", projection=order.name, stream=name)
    if order.as_json:
        print_document({"projection": order.name, "stream": name, "repaired": outcome == "repaired"})
    else:
        print_line(f"{order.name}: {name} {outcome}")
    return 0


def _stream(projection: Projection[Any], stream: str) -> str:
    """Called by its name, whatever its tenant; `stock:SKU` or an id by itself is of the default one."""
    try:
        return stream_name(projection.category, str(UUID(stream)))
    except ValueError:
        pass
    try:
        found = StreamName.parse(stream_called(stream))
    except ValueError as error:
        raise typer.BadParameter(f"{stream!r} is neither a stream's name nor an id: {error}") from error
    if found.category != projection.category:
        raise typer.BadParameter(f"{projection.name} folds streams of {projection.category}, not {stream!r}")
    return str(found)
