"""The system projections of a server: started, stopped, reset, and their status."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from infrastructure.embedded.eventstoredb.errors import LogError, StartRefused, StorageFailed
from infrastructure.embedded.eventstoredb.log import EventLog
from infrastructure.embedded.eventstoredb.projections.standard import STANDARD
from infrastructure.embedded.eventstoredb.projections.state import ProjectionState
from infrastructure.embedded.eventstoredb.projections.worker import Worker

logger = structlog.get_logger()


class UnknownProjection(LogError):
    def __init__(self, name: str) -> None:
        super().__init__(f"there is no projection {name!r}")
        self.name = name


@dataclass(frozen=True, slots=True)
class ProjectionStatus:
    """How a projection is. `progress` is a percentage; `fault` says why it can't go on, if it can't."""

    state: ProjectionState
    progress: float
    processed: int
    fault: str = ""


class Subsystem:
    """The five projections, and the task that makes their links."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._worker = Worker(log)
        self._task: asyncio.Task[None] | None = None
        self._restarting = asyncio.Lock()

    async def start(self, *, run: bool | None) -> None:
        """Goes on where it was; `run` starts or stops all projections, None leaves them as they were.

        Raises StartRefused.
        """
        try:
            await self._worker.load()
            if run is not None:
                for name in self.names():
                    await self._worker.change(name, lambda state: replace(state, enabled=run))
        except StorageFailed as error:
            raise StartRefused(str(error)) from error
        self._begin()

    async def stop(self) -> None:
        """Makes no further links."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def restart(self) -> None:
        """Reads the states anew and goes on; also after a fault."""
        async with self._restarting:
            await self.stop()
            self._worker.processed.clear()
            self._begin()

    async def enable(self, name: str) -> None:
        """Returns once that is on disk. Raises UnknownProjection or StorageFailed."""
        await self._change(name, lambda state: replace(state, enabled=True))

    async def disable(self, name: str) -> None:
        """Once it returns, no link is made. Raises UnknownProjection or StorageFailed."""
        await self._change(name, lambda state: replace(state, enabled=False))

    async def reset(self, name: str) -> None:
        """Makes all links anew; the old ones are hidden. Raises UnknownProjection or StorageFailed."""
        await self._change(name, ProjectionState.reset)

    def names(self) -> list[str]:
        """All projections."""
        return [projection.name for projection in STANDARD]

    def status(self, name: str) -> ProjectionStatus:
        """Raises UnknownProjection."""
        state = self._state(name)
        last = self._log.last_position
        progress = 100.0 * min(state.position, last) / last if last else 100.0
        return ProjectionStatus(state, progress, self._worker.processed[name], self._fault())

    def _state(self, name: str) -> ProjectionState:
        found = self._worker.states.get(name)
        if found is None:
            raise UnknownProjection(name)
        return found

    async def _change(self, name: str, change: Callable[[ProjectionState], ProjectionState]) -> None:
        self._state(name)
        try:
            await self._worker.change(name, change)
        except StorageFailed:
            await self.restart()
            raise

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._worker.run())
        self._task.add_done_callback(_report)

    def _fault(self) -> str:
        if self._task is None or not self._task.done() or self._task.cancelled():
            return ""
        return repr(self._task.exception())


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.critical("projections_died", exc_info=task.exception())
