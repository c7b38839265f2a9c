"""A process that folds some partitions for a rebuild: started by it alone, by hidden options, and ended with it."""

from collections.abc import Sequence
from typing import Any

import typer

from infrastructure.readmodels.pointers import Generation
from infrastructure.rebuilds.partition_folds import fold_partitions
from projections.projection import Projection
from service.settings import Settings
from service.workers.collector import freeze_before_folding
from service.workers.lifetime import end_with, thread_stop_event
from service.workers.projections import deployment_of


def fold(
    settings: Settings, projection: Projection[Any], generation: str, partitions: Sequence[int], pipe: int | None
) -> int:
    """Folds these partitions of the generation, which is given as its pointer, until SIGTERM or the pipe's end."""
    found = Generation.from_json(generation)
    if found is None:
        raise typer.BadParameter(f"{generation!r} is no pointer to a generation")
    stop = thread_stop_event()
    end_with(pipe)
    freeze_before_folding()
    fold_partitions(projection, deployment_of(settings), found, partitions, stop)
    return 0
