"""Looks after what the service needs and what it runs, once for all who ask within a second."""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from typing import Any, Final

from domain.saga import Saga
from infrastructure.eventstore.errors import StoreUnavailable, UnreadableEvent
from infrastructure.readmodels.condition import NO_WORKER, LagBounds
from infrastructure.readmodels.errors import ReadModelError
from infrastructure.readmodels.redis_writes import Refusal
from service.consumers import PROJECTIONS, SAGA_STATUS, SAGAS
from service.health.checks import Check, Report, State, of_saga, of_unreported, wrong
from service.health.disk_check import DiskCheck
from service.health.saga_figures import SagaFigures, figures_of
from service.health.saga_state import SagaHistory, SagaState
from service.http.connections import Connections
from service.http.parked_check import ParkedCheck
from service.http.projection_checks import ProjectionChecks
from service.http.readiness_metrics import Findings

_LOOK_EVERY: Final = 1.0
_FIGURES_SECONDS: Final = 1.0
_REPORT_SECONDS: Final = 10.0  # within which a worker reports, once Redis can be used again


class Readiness:
    """The state of the event store, of Redis, of every projection and saga, and of the embedded servers' disks."""

    def __init__(
        self, connections: Connections, disk: DiskCheck, bounds: Mapping[str, LagBounds], stuck_seconds: int
    ) -> None:
        self._connections: Final = connections
        self._disk: Final = disk
        self._parked: Final = ParkedCheck(connections)
        self._projections: Final = ProjectionChecks(connections, bounds)
        self._stuck_seconds: Final = stuck_seconds
        self._looking: asyncio.Task[Report] | None = None
        self._began = 0.0
        self._refusal: Refusal | None = None
        self._redis_failed = -_REPORT_SECONDS
        self._histories: Final = {saga.category: SagaHistory() for saga in SAGAS}
        self._sagas: dict[str, SagaState] = {}
        self.findings = Findings()

    async def report(self) -> Report:
        """What was found within the last second, else what is found now; a look takes a few seconds at most."""
        return await asyncio.shield(self._current_look())

    async def refresh(self, seconds: float) -> None:
        """Waits for what is found now for so many seconds at most; the look goes on, for `findings`."""
        await asyncio.wait({self._current_look()}, timeout=seconds)

    def _current_look(self) -> asyncio.Task[Report]:
        now = asyncio.get_running_loop().time()
        if self._looking is None or (self._looking.done() and now - self._began >= _LOOK_EVERY):
            self._began, self._looking = now, asyncio.create_task(self._look(), name="look after readiness")
        return self._looking

    async def _look(self) -> Report:
        self._sagas, self._refusal = {}, None
        store_fault = asyncio.create_task(self._connections.store_fault(), name="look for the event store")
        looks: Mapping[str, Awaitable[Check]] = {
            "eventstore": self._eventstore(store_fault),
            "redis": self._redis(),
            **{saga.category: self._saga(saga) for saga in SAGAS},
            "parked": self._parked.check(store_fault),
            **({"disk": self._disk.check()} if self._disk.is_needed else {}),
        }
        projections, others = await asyncio.gather(self._projections.look(store_fault), asyncio.gather(*looks.values()))
        checks = {**dict(zip(looks, others, strict=True)), **projections}
        checks |= self._explained(checks)
        self.findings = self._found(checks)
        if not checks["eventstore"].ok:
            return Report(status="unable", checks=checks)
        return Report(status="ok" if all(check.ok for check in checks.values()) else "degraded", checks=checks)

    def _found(self, checks: Mapping[str, Check]) -> Findings:
        end, positions = self._connections.end, self._projections.positions
        known = {} if checks["eventstore"].state == "away" else positions
        distances = {name: max(0, end - position) for name, position in known.items()}
        found = self._projections
        lags, audits, blocked = found.lags, found.audits, found.blocked
        return Findings(
            checks,
            distances,
            lags,
            audits,
            blocked,
            self._sagas,
            parked=self._parked.counts,
            disks=self._disk.disks,
            at=time.monotonic(),
        )

    def _explained(self, checks: Mapping[str, Check]) -> dict[str, Check]:
        """What is to be said of projections whose workers can't report, or could not until a moment ago."""
        now = asyncio.get_running_loop().time()
        shown = {name: checks[name] for name in (projection.name for projection in PROJECTIONS)}
        if self._refusal is not None or checks["redis"].state == "away":
            self._redis_failed = now
        if self._refusal is not None:
            unwritten = wrong("failing", f"can't be folded further: Redis takes no writes: {self._refusal.reason}")
            return {name: unwritten for name, check in shown.items() if check.state not in {"away", "paused"}}
        if now - self._redis_failed < _REPORT_SECONDS:
            return {name: of_unreported() for name, check in shown.items() if check.detail == NO_WORKER}
        return {}

    async def _eventstore(self, store_fault: Awaitable[str | None]) -> Check:
        address = self._connections.store_address
        if (fault := await store_fault) is not None:
            return wrong("away", f"{address}: {fault}")
        if (fault := await self._connections.write_fault()) is not None:
            return wrong("failing", f"{address}: it can be read, and takes no appends: {fault}")
        return Check(ok=True)

    async def _redis(self) -> Check:
        fault = await self._connections.redis_fault()
        address = self._connections.redis_address
        if fault is not None:
            return wrong("away", f"{address}: {fault}")
        self._refusal = await self._connections.redis_refusal()
        if (refusal := self._refusal) is not None:
            state: State = "misconfigured" if refusal.is_by_setting else "failing"
            return wrong(state, f"{address}: it can be read, and takes no writes: {refusal.reason}")
        misconfigured = await self._connections.redis_misconfiguration()
        return Check(ok=True) if misconfigured is None else wrong("misconfigured", misconfigured)

    async def _saga(self, saga: Saga[Any, Any]) -> Check:
        history = self._histories[saga.category]
        try:
            group, sweep, stopped, figures = await asyncio.gather(
                self._connections.group_state(saga),
                self._connections.sweep_of(saga),
                self._connections.stopped_instances(),
                self._figures(saga),
            )
        except StoreUnavailable as error:
            history.missed()
            return wrong("away", error.reason)
        except UnreadableEvent as error:
            return wrong("stuck", f"its sweep of the log can't go on: {error}")
        found = self._sagas[saga.category] = history.state(group, sweep, stopped.get(saga.category, ()), figures)
        return of_saga(found)

    async def _figures(self, saga: Saga[Any, Any]) -> SagaFigures | None:
        """None where the read model can't be read, which its own check tells."""
        projection = next(each for each in SAGA_STATUS if each.category == saga.category)
        try:
            async with asyncio.timeout(_FIGURES_SECONDS):
                return await figures_of(self._connections.read_models, projection, self._stuck_seconds)
        except (ReadModelError, TimeoutError):
            return None
