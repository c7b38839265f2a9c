"""Workers that begin within milliseconds, since they are forked off a process that has imported everything."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.worker import run_projections
from projections.projection import Projection
from tests.infrastructure.readmodels.summed import summed
from tests.infrastructure.readmodels.tallies import raises, tallies
from tests.infrastructure.readmodels.workers import deployment
from tests.support.forked import forking

_FORKED: Final = forking(__name__)
_SECONDS: Final = 20.0


_MADE: Final[dict[str, Callable[[str], Projection[Any]]]] = {"tallies": tallies, "raises": raises, "summed": summed}


class KillableWorker:
    """Follows some read models of one category; it ends with the process that began it, at the latest."""

    def __init__(
        self, output: Path, category: str, deployed: Deployment, followed: Sequence[str] = ("tallies", "raises")
    ) -> None:
        """Redis is told the name of its output, which is its own; two of one deployment have one name as workers."""
        self.name: Final = output.name
        self.worker: Final = deployed.worker
        self._output: Final = output
        held, self._holding = _FORKED.Pipe(duplex=False)
        redis_uri = f"{deployed.redis_uri}{'&' if '?' in deployed.redis_uri else '?'}client_name={self.name}"
        place = (category, deployed.eventstore_uri, redis_uri, deployed.namespace, deployed.partitions, deployed.worker)
        self._process: Final = _FORKED.Process(target=_work, args=(str(output), held, followed, *place), daemon=True)
        self._process.start()
        held.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def told(self, event: str) -> list[str]:
        """The lines of its log about this event."""
        return [line for line in self._output.read_text(encoding="utf-8").splitlines() if event in line]

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections, and knows nothing of what happens meanwhile."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """SIGTERM, and waits until it has ended in order."""
        self._process.terminate()
        self._ended()
        assert self._process.exitcode == 0

    def kill(self) -> None:
        """SIGKILL, at whatever instruction."""
        self._process.kill()
        self._ended()

    def _ended(self) -> None:
        self._process.join(_SECONDS)
        assert not self._process.is_alive()
        self._holding.close()


def _work(output: str, held: Connection, followed: Sequence[str], category: str, *deployed: Any) -> None:
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(written, 1)
    os.dup2(written, 2)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=_end_with_starter, args=(held, stop), daemon=True).start()
    run_projections([_MADE[name](category) for name in followed], deployment(*deployed), stop)


def _end_with_starter(held: Connection, stop: threading.Event) -> None:
    held.poll(None)  # until the other end is closed
    stop.set()
