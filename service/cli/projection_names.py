"""Takes the names of projections as a command is given them."""

from collections.abc import Collection
from typing import Any

import typer

from projections.projection import Projection


def projections_named(names: Collection[str]) -> list[Projection[Any]]:
    """The projections of these names, in this order; all of them where none is named. Raises BadParameter."""
    from service.consumers import PROJECTIONS  # noqa: PLC0415 - a command loads only what it runs
    from service.projection_names import (  # noqa: PLC0415 - a command loads only what it runs
        UnknownProjection,
        named_projections,
    )

    try:
        return named_projections(names) if names else list(PROJECTIONS)
    except UnknownProjection as error:
        raise typer.BadParameter(str(error)) from None
