"""Processes around tallies and their sums: some fold, a coordinator kills itself at a step, and one repairs."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final

import redis
import structlog

from infrastructure.audits.audit import audit_of
from infrastructure.audits.findings import Findings
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelError
from infrastructure.readmodels.pointers import Generation
from infrastructure.rebuilds.errors import RebuildError
from infrastructure.rebuilds.partition_folds import fold_partitions
from infrastructure.rebuilds.progress import Progress
from infrastructure.rebuilds.rebuild import Crewing, Rebuild
from service.logs import set_up
from service.workers.lifetime import end_with, thread_stop_event
from tests.infrastructure.readmodels.summed import summed
from tests.infrastructure.readmodels.workers import deployment
from tests.support.forked import forking

_NAME: Final = "tests.infrastructure.rebuilds.processes"
_FORKED: Final = forking(_NAME)
_logger = structlog.get_logger()


def crewing(deployed: Deployment, category: str, told: Callable[[Progress], object], workers: int = 2) -> Crewing:
    """Processes that fold as those of the service do."""
    return Crewing(workers, partial(_command, _place(deployed, category)), told)


class OperatorProcess:
    """What an operator does in a process of its own: 1 where it can't be done."""

    def __init__(self, act: Callable[..., None], *arguments: Any) -> None:
        self._process: Final = _FORKED.Process(target=_done, args=(act, *arguments))
        self._process.start()

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def wait(self) -> int | None:
        """Its exit code, negative for a signal."""
        self._process.join(60)
        return self._process.exitcode

    def kill(self) -> None:
        """SIGKILL, at whatever instruction."""
        self._process.kill()
        self._process.join(10)

    def __enter__(self) -> "OperatorProcess":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()


def coordinator(deployed: Deployment, category: str, dies_at: str | None, act: str) -> OperatorProcess:
    """Rebuilds, with one more process that folds each partition, unless it dies at a step.

    These are `begun`, before anybody folds, `half`, while one partition has nothing, `caught up`, and `flipped`.
    """
    return OperatorProcess(_rebuild, _place(deployed, category), dies_at, act)


def repairer(deployed: Deployment, category: str) -> OperatorProcess:
    """Folds all streams again, and mends what differs; 3 where that is not all, as of a stream that was deleted."""
    return OperatorProcess(_repair, _place(deployed, category))


def _place(deployed: Deployment, category: str) -> list[Any]:
    return [category, deployed.eventstore_uri, deployed.redis_uri, deployed.namespace, deployed.partitions]


def _command(place: Sequence[Any], generation: Generation, partitions: Sequence[int], pipe: int) -> list[str]:
    told = json.dumps([place, generation.to_json(), list(partitions), pipe])
    return [sys.executable, "-m", _NAME, told]


def _idle_command(place: Sequence[Any], generation: Generation, partitions: Sequence[int], pipe: int) -> list[str]:
    """A process for the second partition that folds nothing, and waits for the end of its pipe."""
    if 1 not in partitions:
        return _command(place, generation, partitions, pipe)
    return [sys.executable, "-c", "import os, sys; os.read(int(sys.argv[1]), 1)", str(pipe)]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _rebuild(place: Sequence[Any], dies_at: str | None, act: str) -> None:
    category, *deployed = place

    def command(generation: Generation, partitions: Sequence[int], pipe: int) -> list[str]:
        if dies_at == "begun":
            _die()
        return (_idle_command if dies_at == "half" else _command)(place, generation, partitions, pipe)

    def told(progress: Progress) -> None:
        if progress.caught_up == 1 and dies_at == "half":
            _die()
        if progress.is_caught_up and dies_at == "caught up":
            _die()

    made = Rebuild(summed(category), deployment(*deployed))
    crew = Crewing(2, command, told)
    if act == "roll_back":
        made.roll_back(crew)
    else:
        made.run(crew, keep=act == "keep")
    if dies_at == "flipped":
        _die()


def _repair(place: Sequence[Any]) -> None:
    category, *deployed = place
    with Findings() as findings, audit_of(summed(category), deployment(*deployed)) as audit:
        audit.run(findings, None, lambda _: None)
        audit.repair(findings)
        if findings.repaired() < findings.count() or findings.unverified():
            sys.exit(3)


def _done(act: Callable[..., None], *arguments: Any) -> None:
    try:
        act(*arguments)
    except (RebuildError, ReadModelError, EventStoreError, redis.RedisError) as error:
        _logger.debug("not_done", act=act.__name__, reason=str(error))
        sys.exit(1)


def _fold(place: Sequence[Any], generation: str, partitions: Sequence[int], pipe: int) -> None:
    category, *deployed = place
    found = Generation.from_json(generation)
    assert found is not None
    set_up("json", "rebuild")
    stop: threading.Event = thread_stop_event()
    end_with(pipe)
    fold_partitions(summed(category), deployment(*deployed), found, partitions, stop)


if __name__ == "__main__":
    _fold(*json.loads(sys.argv[1]))
