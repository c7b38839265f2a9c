"""Workers for tests: in a thread of this process, or in a process that can be killed."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any, Final
from uuid import uuid4

from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.worker import run_projections
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import CODEC
from tests.infrastructure.readmodels.reader import Reader
from tests.infrastructure.readmodels.summed import summed
from tests.infrastructure.readmodels.tallies import Tally, raises, tallies
from tests.support.forked import forking
from tests.support.polling import poll_until
from tests.support.processes import Listened

forking(__name__)
_SECONDS: Final = 20.0


def deployment(
    eventstore_uri: str, redis_uri: str, namespace: str, partitions: int = 1, worker: str | None = None
) -> Deployment:
    """Whose workers have that name; without one, those of two deployments are two that share the work."""
    return Deployment(eventstore_uri, redis_uri, namespace, partitions, CODEC, worker=worker or uuid4().hex)


class ThreadWorker:
    """Follows these projections while it is entered."""

    def __init__(self, deployed: Deployment, *projections: Projection[Any]) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=run_projections, args=(projections, deployed, self._stop), daemon=True)

    def __enter__(self) -> "ThreadWorker":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(15)
        assert not self._thread.is_alive()


@contextmanager
def followed_tallies(deployed: Deployment, category: str) -> Iterator[Projection[Tally]]:
    """The tallies of this category, which a worker follows and queries find available."""
    projection = tallies(category)
    with ThreadWorker(deployed, projection):
        Reader(deployed).wait_until_available(projection)
        yield projection


class ProcessWorker:
    """Follows `tallies`, `raises` and `summed` of one category in a process of its own, which ends with this one.

    Two of the same name, by default the deployment's, take each other's leases for their own, and so are rivals.
    """

    def __init__(self, deployed: Deployment, category: str, name: str | None = None) -> None:
        place = [deployed.eventstore_uri, deployed.redis_uri, deployed.namespace, deployed.partitions]
        arguments: list[Any] = [category, *place, name or deployed.worker]
        self._process = Listened(partial(_follow, *arguments), {}, held=True)

    def wait_until_it_follows(self) -> "ProcessWorker":
        """Returns when it has begun to follow a partition."""
        poll_until(lambda: self.told("projection_started"), seconds=_SECONDS, what="a partition that it follows")
        return self

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections, and knows nothing of what happens meanwhile."""
        self._process.send(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send(signal.SIGCONT)

    def told(self, event: str) -> list[str]:
        """The lines of its log about this event."""
        return [line for line in self.output if event in line]

    @property
    def output(self) -> list[str]:
        return self._process.output

    def kill(self) -> None:
        """SIGKILL, at whatever instruction."""
        self._process.send(signal.SIGKILL)
        self._process.wait(within=_SECONDS)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self._process.send(signal.SIGTERM)
        return self._process.wait(within=_SECONDS)


def _follow(category: str, *deployed: Any) -> None:
    os.setsid()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=_end_with_pipe, args=(stop,), daemon=True).start()
    followed: list[Projection[Any]] = [tallies(category), raises(category), summed(category)]
    run_projections(followed, deployment(*deployed), stop)


def _end_with_pipe(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()
