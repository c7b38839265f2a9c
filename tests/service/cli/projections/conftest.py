"""A worker that follows the log with read models of its own, and what asks about it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from structlog.testing import capture_logs

from service.settings import PerProjection, Settings
from tests.service.http.api_server import serving
from tests.support import servers
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened


@dataclass(frozen=True)
class Followed:
    """The settings of a deployment with one worker, and its API."""

    settings: Settings
    worker: Listened
    http: httpx.Client

    @property
    def environment(self) -> dict[str, str]:
        """What a process is told to work on the same servers."""
        return environment_of(self.settings)

    def report(self) -> dict[str, Any]:
        """What readiness says."""
        return dict(self.http.get("/health/ready").json())

    def state(self, name: str) -> str:
        """What readiness says of a projection."""
        return str(self.report()["checks"][name]["state"])

    def becomes(self, name: str, state: str) -> None:
        poll_until(lambda: self.state(name) == state, seconds=30, what=f"{name} to be {state}")

    def metrics(self, beginning: str) -> dict[str, float]:
        """The figures of readiness whose names begin so."""
        lines = [line for line in self.http.get("/metrics").text.splitlines() if line.startswith(beginning)]
        return {name: float(figure) for name, _, figure in (line.rpartition(" ") for line in lines)}

    def pause(self) -> None:
        """The worker stands still; its last report stands for ten seconds more."""
        self.worker.send(signal.SIGSTOP)

    def resume(self) -> None:
        self.worker.send(signal.SIGCONT)


def environment_of(settings: Settings) -> dict[str, str]:
    return {
        "FOLDSTREAM_EVENTSTORE_URI": settings.eventstore,
        "FOLDSTREAM_REDIS_URI": settings.redis,
        "FOLDSTREAM_NAMESPACE": settings.namespace,
        "FOLDSTREAM_AUDIT_STREAMS": str(settings.audit_streams),
    }


def printed(run: Callable[[], int], capsys: pytest.CaptureFixture[str]) -> str:
    """What it prints when it is done, without the log of the API in this process, which is written at any time."""
    with capture_logs():
        capsys.readouterr()
        assert run() == 0
        return capsys.readouterr().out


@pytest.fixture(scope="session")
def eventstore_uri() -> Iterator[str]:
    """A store of which all is soon folded, unless the surroundings name one."""
    with servers.eventstore(Settings.from_environment().eventstore_uri) as server:
        yield server.uri


@pytest.fixture(scope="package")
def followed(eventstore_uri: str, redis_uri: str) -> Iterator[Followed]:
    """One that no test repairs anything of: workers tell of that."""
    with following(eventstore_uri, redis_uri) as made:
        yield made


@contextmanager
def following(eventstore_uri: str, redis_uri: str) -> Iterator[Followed]:
    """A deployment whose read models are all up to date."""
    settings = Settings(
        eventstore_uri=eventstore_uri,
        redis_uri=redis_uri,
        namespace=f"lag-{uuid4().hex[:12]}",
        lag_events=PerProjection(1_000, {"stock_levels": 5}),
        lag_seconds=PerProjection(60, {"account_balance": 1}),
        audit_streams=50,
    )
    environment = environment_of(settings)
    with ExitStack() as stack:
        worker, sagas = (Listened((*FOLDSTREAM, name), environment) for name in ("projections", "sagas"))
        stack.callback(worker.kill)
        stack.callback(sagas.kill)
        followed = Followed(settings, worker, stack.enter_context(serving(settings)))
        poll_until(lambda: followed.report()["status"] == "ok", seconds=60, what="all to be well")
        yield followed
