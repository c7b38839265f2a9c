"""The network between a service under load and its servers is broken in every way: what can be is served, what can't is
refused at once, and all of it recovers by itself."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Final
from uuid import uuid4

import httpx
import pytest

from domain.accounts.account import AccountOpened
from tests.service.aftermath import Aftermath, assert_whole
from tests.service.client import Client
from tests.service.load import Load
from tests.support.callers import AUTHORIZED
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.proxy import Proxy
from tests.support.redis import RedisProcess
from tests.support.service import FoldstreamProcess

COMMAND_SECONDS: Final = 2
AT_ONCE: Final = 0.5  # seconds: a third of the time for which the store is tried
RECOVERED_WITHIN: Final = 30.0
MIXES: Final = 20
BROKEN: Final[dict[str, Callable[[Proxy], None]]] = {
    "refused": Proxy.refuse,
    "silent": Proxy.go_silent,
    "half closed": Proxy.half_close,
    "late": lambda proxy: proxy.delay(5.0),
    "narrow": lambda proxy: proxy.throttle(50),
}


@dataclass
class Broken:
    """A service whose ways to its servers can be broken; `opened` are the accounts that it has acknowledged."""

    service: FoldstreamProcess
    store: Proxy
    redis: Proxy
    store_uri: str
    account: str
    opened: list[str] = field(default_factory=list)
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20, trust_env=False, headers=AUTHORIZED))

    def command(self) -> tuple[int, str, float]:
        """The status, the rule and the seconds of a new command."""
        account_id, began = str(uuid4()), monotonic()
        body = {"id": account_id, "owner_id": "ada", "currency": "EUR"}
        answer = self._http.post(f"{self.service.url}/accounts", json=body)
        if answer.status_code == 201:
            self.opened.append(account_id)
        else:
            assert answer.headers["Retry-After"] == "1"
        return answer.status_code, answer.json().get("rule", ""), monotonic() - began

    def query(self) -> int:
        answer = self._http.get(f"{self.service.url}/accounts/{self.account}")
        assert answer.status_code == 200 or answer.headers["Retry-After"] == "1"
        return answer.status_code

    def is_alive(self) -> bool:
        return self._http.get(f"{self.service.url}/health/live").status_code == 200

    def readiness(self) -> tuple[int, str, str, str]:
        """The status, the word for the whole, and those for the event store and for Redis."""
        answer = self._http.get(f"{self.service.url}/health/ready")
        told = answer.json()
        return answer.status_code, told["status"], *(told["checks"][each]["state"] for each in ("eventstore", "redis"))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    folder = tmp_path_factory.mktemp("broken")
    with ExitStack() as opened:
        server = opened.enter_context(EventStoreProcess(folder / "eventstore"))
        rows = RedisProcess().start()
        opened.callback(rows.close)
        store = opened.enter_context(Proxy(("127.0.0.1", server.port)))
        redis = opened.enter_context(Proxy(rows.uri.removeprefix("unix://")))
        environment = {
            "FOLDSTREAM_EVENTSTORE_URI": f"esdb://127.0.0.1:{store.port}?tls=false",
            "FOLDSTREAM_REDIS_URI": f"redis://127.0.0.1:{redis.port}/0",
            "FOLDSTREAM_COMMAND_SECONDS": str(COMMAND_SECONDS),
            "FOLDSTREAM_READ_SECONDS": "1",
        }
        service = opened.enter_context(FoldstreamProcess(folder / "data", environment))
        with Client(service.url) as client:
            account = client.account()
            client.get(f"/accounts/{account}")
        yield Broken(service, store, redis, server.uri, account)


def refusals_of_commands(broken: Broken) -> tuple[float, float]:
    """Seconds from now to the first 503, and how long one took that was at once; meanwhile queries are answered."""
    began = monotonic()
    poll_until(lambda: broken.command()[0] == 503, seconds=20, what="a refusal")
    first = monotonic() - began
    at_once: list[float] = []

    def is_at_once() -> bool:
        status, rule, seconds = broken.command()
        assert (status, rule) in {(503, "store-unavailable"), (429, "overloaded")}
        at_once.append(seconds)
        return status == 503 and seconds < AT_ONCE

    poll_until(is_at_once, seconds=20, what="a refusal at once")
    assert (broken.query(), broken.is_alive()) == (200, True)
    poll_until(lambda: broken.readiness()[:3] == (503, "unable", "away"), seconds=10, what="that it is not ready")
    return first, at_once[-1]


def recovery(broken: Broken, load: Load) -> float:
    """Seconds until a command is done; the customers go on then, and it is ready."""
    began = monotonic()
    poll_until(lambda: broken.command()[0] == 201, seconds=RECOVERED_WITHIN, what="a command that is done")
    took = monotonic() - began
    load.goes_on(8, within=RECOVERED_WITHIN)
    poll_until(lambda: broken.readiness()[0] == 200, seconds=RECOVERED_WITHIN, what="that it is ready")
    return took


def without_the_store(broken: Broken, load: Load, kind: str) -> str:
    """Breaks the way to the store, and mends it; a line of what was measured."""
    BROKEN[kind](broken.store)
    first, at_once = refusals_of_commands(broken)
    broken.store.heal()
    took = recovery(broken, load)
    return f"event store {kind}: first 503 after {first:.2f} s, later ones in {at_once:.3f} s, back in {took:.2f} s"


def without_redis(broken: Broken, load: Load, kind: str) -> str:
    """Breaks the way to Redis, and mends it: commands go on, queries are refused."""
    BROKEN[kind](broken.redis)
    began = monotonic()
    poll_until(lambda: broken.query() == 503, seconds=10, what="a query that is refused")
    refused = monotonic() - began
    load.goes_on(4)
    assert broken.command()[0] == 201
    poll_until(lambda: broken.readiness()[::3] == (200, "away"), seconds=10, what="that Redis is missed")
    broken.redis.heal()
    began = monotonic()
    poll_until(lambda: broken.query() == 200, seconds=RECOVERED_WITHIN, what="a query that is answered")
    return f"Redis {kind}: first 503 after {refused:.2f} s, back in {monotonic() - began:.2f} s"


def queries_go_on(broken: Broken, seconds: float) -> None:
    """For so long, each of them."""
    ends = monotonic() + seconds
    answers = list[int]()

    def is_over() -> bool:
        answers.append(broken.query())
        return monotonic() > ends

    poll_until(is_over, seconds=seconds + 30, what="the end of the fault")
    assert set(answers) == {200}


def lives_on(broken: Broken, seconds: float) -> None:
    ends = monotonic() + seconds
    poll_until(lambda: broken.is_alive() and monotonic() > ends, seconds=seconds + 30, what="the end of the faults")


def assert_nothing_is_lost(broken: Broken, load: Load) -> None:
    with Client(broken.service.url) as client:
        aftermath = Aftermath.of(client, load.customers, broken.store_uri)
        assert_whole(aftermath)
    stored = {recorded.aggregate_id for recorded in aftermath.log if isinstance(recorded.event, AccountOpened)}
    assert set(broken.opened) <= stored


def test_each_fault_is_told_at_once_and_forgotten(broken: Broken, figures: list[str]) -> None:
    with Load(broken.service.url) as load:
        load.goes_on(16)
        figures += [without_the_store(broken, load, kind) for kind in BROKEN]
        broken.store.cut()
        load.goes_on(8)
        figures += [without_redis(broken, load, kind) for kind in ("refused", "silent")]
        load.goes_on(8)
    assert_nothing_is_lost(broken, load)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_so_is_one_of_a_minute_and_any_mix(broken: Broken, figures: list[str]) -> None:
    """Takes nine minutes."""
    dice = random.Random(64)
    with Load(broken.service.url, partial(Client, patience=180.0)) as load:
        for kind in BROKEN:
            BROKEN[kind](broken.store)
            first, _ = refusals_of_commands(broken)
            queries_go_on(broken, 60)
            broken.store.heal()
            took = recovery(broken, load)
            figures.append(f"event store {kind} for a minute: first 503 after {first:.2f} s, back in {took:.2f} s")
        broken.store.forget()
        figures.append(f"event store's connections forgotten: back in {recovery(broken, load):.2f} s")
        for _ in range(MIXES):
            for proxy in (broken.store, broken.redis):
                dice.choice([*BROKEN.values(), Proxy.heal, Proxy.cut])(proxy)
            lives_on(broken, dice.uniform(0.2, 8))
            broken.store.heal()
            broken.redis.heal()
            recovery(broken, load)
    assert_nothing_is_lost(broken, load)
