"""Takes the name of a stream as a command is given it, which has to be one that the projection folds."""

from typing import Any

import typer

from domain.stream_name import StreamName, stream_name
from projections.projection import Projection
from service.history.sources import stream_called


def stream_folded_by(projection: Projection[Any], name: str) -> str:
    """The stream; `stock:SKU` is that of a SKU. Raises BadParameter for one that the projection does not fold."""
    try:
        called = StreamName.parse(stream_called(name))
    except ValueError:
        called = None
    if called is None or called.category != projection.category:
        raise typer.BadParameter(f"{projection.name} folds streams such as {projection.category}-<id>, unlike {name!r}")
    try:
        return stream_name(called.category, called.id, called.tenant)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
