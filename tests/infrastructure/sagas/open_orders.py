"""A store of an earlier release in which orders were left open, one of them charged and without having heard of it."""

import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.support.eventstore import EventStoreProcess

_DATA: Final = Path(__file__).parents[2] / "service" / "data"
TOLD: Final[dict[str, Any]] = json.loads((_DATA / "open_orders.json").read_text(encoding="utf-8"))


@contextmanager
def open_orders(folder: Path) -> Iterator[str]:
    """Its server; the URI."""
    with tarfile.open(_DATA / "open_orders.tar.gz") as packed:
        packed.extractall(folder, filter="data")
    with EventStoreProcess(folder / "eventstore") as process:
        yield process.uri
