"""Two of each process are restarted in turn under load: no request dies under way, and what was answered is done."""

import random
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

import httpx
import pytest

from service.addresses import lasting_port
from tests.service.aftermath import Aftermath, assert_whole
from tests.service.client import Client
from tests.service.load import Load
from tests.support.callers import AUTHORIZED, KEY
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.redis import RedisProcess

KINDS: Final = ("api", "projections", "sagas")
EITHER: Final = "http://either"
ROUNDS_OF_SOAK: Final = 20


@dataclass
class Replica:
    """One process, which answers for its health on a port that it keeps."""

    kind: str
    environment: Mapping[str, str]
    port: int = field(default_factory=lasting_port)
    health: int = field(default_factory=lasting_port)
    process: Listened | None = None

    def start(self) -> None:
        listening = ("--port", str(self.port)) if self.kind == "api" else ()
        own = {**self.environment, "FOLDSTREAM_METRICS_PORT": str(self.health)}
        self.process = Listened((*FOLDSTREAM, self.kind, *listening), own)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.health}/health/ready", trust_env=False, timeout=20).is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """Tells it to stop."""
        self.running.send(signal.SIGTERM)

    def kill(self) -> None:
        self.running.kill()

    def ended(self) -> int:
        """Its exit code."""
        return self.running.wait(within=20)

    @property
    def running(self) -> Listened:
        assert self.process is not None, "not started"
        return self.process


class EitherApi(httpx.BaseTransport):
    """Sends a request to one of two, and to the other where the first refuses the connection, as a proxy does.

    `broken` are requests that were sent and got no answer.
    """

    def __init__(self, ports: Sequence[int], broken: list[str]) -> None:
        self._ports = ports
        self._broken = broken
        self._to = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        *others, last = random.sample(self._ports, len(self._ports))
        for port in others:
            try:
                return self._sent(request, port)
            except httpx.ConnectError:
                continue
        return self._sent(request, last)

    def close(self) -> None:
        self._to.close()

    def _sent(self, request: httpx.Request, port: int) -> httpx.Response:
        request.url = request.url.copy_with(host="127.0.0.1", port=port)
        try:
            return self._to.handle_request(request)
        except httpx.ConnectError:
            raise
        except httpx.TransportError as error:
            self._broken.append(f"{request.method} {request.url.path}: {error!r}")
            raise


@dataclass
class Fleet:
    """Two of each kind, and what became of requests to either API."""

    sets: Sequence[Sequence[Replica]]
    store_uri: str
    broken: list[str] = field(default_factory=list)

    def client(self, url: str = EITHER) -> Client:
        ports = [replica.port for each in self.sets for replica in each if replica.kind == "api"]
        transport = EitherApi(ports, self.broken)
        http = httpx.Client(timeout=20, trust_env=False, headers=AUTHORIZED, transport=transport)
        return Client(url, _http=http)

    def restart(self, replicas: Sequence[Replica]) -> list[int]:
        """The exit codes of those that were stopped, once new ones have taken their places."""
        for replica in replicas:
            replica.stop()
        codes = [replica.ended() for replica in replicas]
        for replica in replicas:
            replica.start()
        self.await_ready(replicas)
        return codes

    def await_ready(self, replicas: Sequence[Replica]) -> None:
        for replica in replicas:
            poll_until(replica.is_ready, seconds=60, what=f"{replica.kind} at work")


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with ExitStack() as opened:
        store = opened.enter_context(EventStoreProcess(None))
        rows = RedisProcess().start()
        opened.callback(rows.close)
        environment = {
            "FOLDSTREAM_EVENTSTORE_URI": store.uri,
            "FOLDSTREAM_REDIS_URI": rows.uri,
            "FOLDSTREAM_DEVELOPMENT_KEY": str(KEY),
        }
        sets = [[Replica(kind, environment) for kind in KINDS] for _ in range(2)]
        for replica in (replica for each in sets for replica in each):
            replica.start()
            opened.callback(replica.kill)
        made = Fleet(sets, store.uri)
        for each in sets:
            made.await_ready(each)
        yield made


def assert_nothing_is_lost(fleet: Fleet, load: Load) -> None:
    """Nothing that was answered, and no request under way."""
    assert fleet.broken == []
    with fleet.client() as client:
        assert_whole(Aftermath.of(client, load.customers, fleet.store_uri))


def test_no_request_is_lost_while_one_half_is_restarted_after_the_other(fleet: Fleet) -> None:
    with Load(EITHER, fleet.client) as load:
        load.goes_on(16)
        codes = []
        for replicas in fleet.sets:
            codes += fleet.restart(replicas)
            load.goes_on(12)
    assert codes == [0] * 6
    assert_nothing_is_lost(fleet, load)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_nor_in_many_rounds_one_process_after_the_other(fleet: Fleet) -> None:
    """Takes a quarter of an hour."""
    with Load(EITHER, fleet.client) as load:
        codes = []
        for _ in range(ROUNDS_OF_SOAK):
            for replica in (replica for each in fleet.sets for replica in each):
                codes += fleet.restart([replica])
                load.goes_on(8)
    assert codes == [0] * 6 * ROUNDS_OF_SOAK
    assert_nothing_is_lost(fleet, load)
