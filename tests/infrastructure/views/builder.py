"""Makes a view in a process of its own, which can be killed at any instruction."""

import json
import sys
from pathlib import Path
from typing import Any, Final

from tests.infrastructure.readmodels.summed import summed
from tests.infrastructure.readmodels.workers import deployment
from tests.infrastructure.views.album import Album
from tests.support.processes import Listened

_REPOSITORY: Final = Path(__file__).parents[3]


def started(album: Album, name: str, **span: int) -> Listened:
    """A process that makes a view of tallies and their sums, and then says `made`."""
    deployed = album.deployed
    place = [deployed.eventstore_uri, deployed.redis_uri, deployed.namespace, deployed.partitions]
    told: list[Any] = [place, album.projection.category, name, span]
    command = (sys.executable, "-m", "tests.infrastructure.views.builder", json.dumps(told))
    return Listened(command, {"PYTHONPATH": str(_REPOSITORY)})


def _main(told: str) -> None:
    place, category, name, span = json.loads(told)
    Album(deployment(*place), summed(category, "tallies")).make(name, **span)
    sys.stdout.write("made\n")


if __name__ == "__main__":
    _main(sys.argv[1])
