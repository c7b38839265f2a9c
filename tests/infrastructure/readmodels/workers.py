"""Workers for tests: in a thread of this process, or in a process that can be killed."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from infrastructure.readmodels.follower import Deployment
from infrastructure.readmodels.worker import run_projections
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import CODEC
from tests.infrastructure.readmodels.reader import Reader
from tests.infrastructure.readmodels.tallies import Tally, raises, tallies

_REPOSITORY = Path(__file__).parents[3]


def deployment(eventstore_uri: str, redis_uri: str, namespace: str, partitions: int = 1) -> Deployment:
    return Deployment(eventstore_uri, redis_uri, namespace, partitions, CODEC)


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
    """Follows `tallies` and `raises` of one category in a process of its own, which ends with this one."""

    def __init__(self, deployed: Deployment, category: str) -> None:
        arguments = [deployed.eventstore_uri, deployed.redis_uri, deployed.namespace, deployed.partitions, category]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.infrastructure.readmodels.workers", json.dumps(arguments)],
            cwd=_REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        self._follows = threading.Event()
        self.output: list[str] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def wait_until_it_follows(self) -> "ProcessWorker":
        """Returns when it has begun to follow a partition."""
        assert self._follows.wait(20)
        return self

    def kill(self) -> None:
        """SIGKILL, at whatever instruction."""
        self._process.kill()
        self._ended()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._ended()

    def _ended(self) -> int:
        code = self._process.wait(20)
        self._listener.join(20)
        assert self._process.stdin is not None
        self._process.stdin.close()
        return code

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.output.append(line)
                if "projection_started" in line:
                    self._follows.set()


def _main(arguments: str) -> None:
    eventstore_uri, redis_uri, namespace, partitions, category = json.loads(arguments)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=_end_with_pipe, args=(stop,), daemon=True).start()
    followed: list[Projection[Any]] = [tallies(category), raises(category)]
    run_projections(followed, deployment(eventstore_uri, redis_uri, namespace, partitions), stop)


def _end_with_pipe(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    _main(sys.argv[1])
