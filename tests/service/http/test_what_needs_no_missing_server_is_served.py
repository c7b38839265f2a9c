"""What goes on, and what is refused, while the event store or Redis is away."""

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis
import structlog

from infrastructure.readmodels.live_generation import READ_SECONDS
from service.consumers import PROJECTIONS
from service.settings import Settings
from tests.infrastructure.eventstore.silent_store import RefusingStore, SilentStore, running, silent
from tests.service.http.api_server import NOBODY, away, serving
from tests.service.http.shop import assert_changed, assert_refused, done, order_form, read
from tests.support.eventstore import EventStoreProcess, limit_files, unlimit_files
from tests.support.polling import poll_until
from tests.support.redis import RedisProcess

NOT_KNOWN = "Whether it took effect is not known; sent again under the same Idempotency-Key it takes effect once."
WELL = {"ok": True, "state": "ok", "detail": None}
READ_MODELS = [projection.name for projection in PROJECTIONS]
SAGA_NAMES = ("fulfilment", "booking")
ALONE = {"ok": False, "state": "stopped", "detail": "has no worker"}


def test_commands_are_refused_soon_while_the_store_is_away() -> None:
    with serving(away()) as http:
        began = time.monotonic()
        answer = http.post("/orders", json=order_form())
        assert time.monotonic() - began < 6
    assert_refused(answer, 503, "store-unavailable", f"The event store can't be used at present. {NOT_KNOWN}")
    assert answer.headers["Retry-After"] == "1"


def test_they_are_refused_sooner_where_the_setting_says_so() -> None:
    with serving(away(command_seconds=1)) as http:
        began = time.monotonic()
        assert http.post("/orders", json=order_form()).status_code == 503
        assert time.monotonic() - began < 3.5


def test_a_cluster_that_is_away_is_a_store_that_is_away() -> None:
    cluster = f"esdb://{NOBODY},{NOBODY}?tls=false&maxDiscoverAttempts=1"
    with serving(away(eventstore_uri=cluster)) as http:
        assert http.post("/orders", json=order_form()).json()["rule"] == "store-unavailable"
        assert http.get("/health/live").status_code == 200
        checks = http.get("/health/ready").json()["checks"]
    assert (checks["eventstore"]["ok"], checks["eventstore"]["state"]) == (False, "away")
    assert checks["eventstore"]["detail"].startswith(f"{NOBODY},{NOBODY}: ")


def test_a_store_that_is_silent_is_waited_for_as_long_as_the_setting_says() -> None:
    with silent() as address, serving(away(eventstore_uri=f"esdb://{address}?tls=false", command_seconds=2)) as http:
        began = time.monotonic()
        answer = http.post("/orders", json=order_form())
        assert 1 < time.monotonic() - began < 3.9
    assert_refused(answer, 503, "store-unavailable", f"The event store can't be used at present. {NOT_KNOWN}")


def test_who_waited_in_vain_is_counted_and_logged_with_the_reason() -> None:
    with (
        structlog.testing.capture_logs() as captured,
        silent() as address,
        serving(away(eventstore_uri=f"esdb://{address}?tls=false", command_seconds=1)) as http,
    ):
        http.post("/orders", json=order_form())
        counted = http.get("/metrics").text
    assert 'foldstream_commands_total{command="CreateOrder",outcome="store-unavailable"} 1.0' in counted
    [line] = [line for line in captured if line["event"] in {"outage_began", "request_unserved"}]
    told = line["event"], line["server"], line["reason"].partition(": ")[0]
    assert told == ("outage_began", "eventstore", f"The event store at {address} can't be used")


@pytest.mark.parametrize(
    "store", [f"esdb://{NOBODY}", f"esdb://{NOBODY},{NOBODY},{NOBODY}", f"esdb+discover://{NOBODY}"]
)
def test_queries_go_on_where_the_store_was_never_found(
    http: httpx.Client, redis_uri: str, namespace: str, store: str
) -> None:
    """A token of this store counts, by what Redis tells of the log that its rows are of; one of another does not."""
    created = http.post("/orders", json=order_form())
    path, token = f"/orders/{created.json()['id']}", created.json()["position"]
    order = read(http, path, created)
    other = f"{token.rpartition('.')[0]}.{'0' if token[-8] != '0' else '1'}{token[-7:]}"
    with serving(away(eventstore_uri=f"{store}?tls=false", redis_uri=redis_uri, namespace=namespace)) as lonely:
        assert lonely.get(path).json() == order
        assert lonely.get(path, params={"at_least": token}).json() == order
        refused = lonely.get(path, params={"at_least": other})
        assert (refused.status_code, refused.json()["rule"]) == (422, "foreign-position")
        beyond = lonely.get(path, params={"at_least": str(2**62), "wait": 0})
        assert (beyond.status_code, beyond.json()["rule"]) == (503, "read-model-behind")
        assert lonely.post("/orders", json=order_form()).json()["rule"] == "store-unavailable"


def test_the_process_lives_while_everything_is_away() -> None:
    with serving(away()) as http:
        answer = http.get("/health/live")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_it_is_not_ready_while_the_store_is_away(redis_uri: str, http: httpx.Client, namespace: str) -> None:
    with serving(away(redis_uri=redis_uri, namespace=namespace)) as lonely:
        answer = lonely.get("/health/ready")
    checks = answer.json()["checks"]
    detail = checks["eventstore"]["detail"]
    assert detail.startswith(f"{NOBODY}: ")
    missed = {"ok": False, "state": "away", "detail": detail}
    for name in (*SAGA_NAMES, "parked"):
        assert {**checks.pop(name), "detail": ""} == {**missed, "detail": ""}
    assert checks == {**_checks(WELL, "redis", *READ_MODELS), "eventstore": missed}
    assert (answer.status_code, answer.json()["status"]) == (503, "unable")
    assert (answer.headers["Content-Type"], answer.headers["Retry-After"]) == ("application/json", "1")


def test_it_is_unable_while_every_write_fails_and_while_the_store_is_away(tmp_path: Path, redis_uri: str) -> None:
    with (
        EventStoreProcess(tmp_path) as store,
        serving(away(eventstore_uri=store.uri, redis_uri=redis_uri, command_seconds=1)) as http,
    ):
        done(http.post("/orders", json=order_form()))
        assert _eventstore(http) == (200, "degraded", "ok")
        limit_files(store.process.pid)
        assert http.post("/orders", json=order_form()).status_code == 503
        poll_until(lambda: _eventstore(http) == (503, "unable", "failing"), seconds=10, what="the full disk")
        unlimit_files(store.process.pid)
        poll_until(lambda: _eventstore(http) == (200, "degraded", "ok"), seconds=10, what="a disk with room")
        store.kill()
        poll_until(lambda: _eventstore(http) == (503, "unable", "away"), seconds=10, what="the end of the store")


def test_however_often_it_is_asked_the_store_is_asked_once_a_second(redis_uri: str) -> None:
    store = RefusingStore()
    with running(store) as uri, serving(away(eventstore_uri=uri, redis_uri=redis_uri)) as http:
        poll_until(lambda: http.get("/health/ready").status_code == 503, seconds=5, what="an answer")
        began, asked = time.monotonic(), len(store.seen)
        for _ in range(100):
            http.get("/health/ready")
        http.get("/metrics")
        seconds = time.monotonic() - began
    of_a_look = 2 * len(SAGA_NAMES) + 4  # two for each saga; the log's end, operations, revocations, who has stopped
    assert len(store.seen) - asked <= of_a_look * (seconds + 1)


def test_it_is_degraded_while_redis_may_evict_rows(eventstore_uri: str) -> None:
    own = RedisProcess().start()
    try:
        with redis.Redis.from_url(own.uri) as connection:
            connection.config_set("maxmemory-policy", "allkeys-lru")
        with serving(away(eventstore_uri=eventstore_uri, redis_uri=own.uri)) as http:
            answer = http.get("/health/ready")
    finally:
        own.close()
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["redis"] == {
        "ok": False,
        "state": "misconfigured",
        "detail": "maxmemory-policy is allkeys-lru: rows may be evicted one by one; set it to noeviction",
    }


def test_the_store_is_found_when_it_comes() -> None:
    with EventStoreProcess(None) as store:
        store.kill()
        with serving(away(eventstore_uri=store.uri, command_seconds=1)) as http:
            assert http.post("/orders", json=order_form()).status_code == 503
            store.start()
            order_id = str(uuid4())
            [created] = poll_until(lambda: _created(http, order_id), seconds=20, what="a command that is done")
            assert_changed(created, 201, order_id, 0)


def test_the_store_is_found_again_after_it_was_killed() -> None:
    with EventStoreProcess(None) as store, serving(away(eventstore_uri=store.uri, command_seconds=1)) as http:
        done(http.post("/orders", json=order_form()))
        store.kill()
        assert http.post("/orders", json=order_form()).json()["rule"] == "store-unavailable"
        store.start()
        order_id = str(uuid4())
        [created] = poll_until(lambda: _created(http, order_id), seconds=20, what="a command that is done")
        assert_changed(created, 201, order_id, 0)


def test_commands_go_on_while_redis_is_away(eventstore_uri: str) -> None:
    with serving(away(eventstore_uri=eventstore_uri)) as http:
        order_id = str(uuid4())
        assert_changed(http.post("/orders", json=order_form(id=order_id)), 201, order_id, 0)


def test_who_waits_no_time_is_told_soon_where_the_store_is_silent(redis_uri: str, namespace: str, api: str) -> None:
    with (
        running(SilentStore()) as uri,
        serving(away(eventstore_uri=uri, redis_uri=redis_uri, namespace=namespace)) as http,
    ):
        began = time.monotonic()
        answer = http.get(f"/orders/{uuid4()}", params={"at_least": str(2**63), "wait": 0})
        assert time.monotonic() - began < 1.8
    assert (answer.status_code, answer.json()["rule"]) == (503, "read-model-behind")


def test_nor_for_longer_than_the_setting_says_where_redis_is_silent(eventstore_uri: str) -> None:
    with (
        silent() as address,
        serving(away(eventstore_uri=eventstore_uri, redis_uri=f"redis://{address}", read_seconds=1)) as http,
    ):
        began = time.monotonic()
        answer = http.get(f"/orders/{uuid4()}", params={"at_least": "1", "wait": 0})
        assert time.monotonic() - began < READ_SECONDS, "as long as without the setting"
    assert (answer.status_code, answer.json()["rule"]) == (503, "read-model-unavailable")


@pytest.mark.parametrize("path", [f"/orders/{uuid4()}", "/stock/lamp", f"/accounts/{uuid4()}"])
def test_queries_are_refused_while_redis_is_away(eventstore_uri: str, path: str) -> None:
    with serving(away(eventstore_uri=eventstore_uri)) as http:
        answer = http.get(path)
    name = {"orders": "order_summary", "stock": "stock_levels", "accounts": "account_balance"}[path.split("/")[1]]
    assert_refused(answer, 503, "read-model-unavailable", f"{name} can't be read at present.")
    assert answer.headers["Retry-After"] == "1"


def test_it_is_degraded_while_redis_is_away(eventstore_uri: str) -> None:
    with serving(away(eventstore_uri=eventstore_uri)) as http:
        answer = http.get("/health/ready")
    report = answer.json()
    assert (answer.status_code, report["status"]) == (200, "degraded")
    assert {name: check["ok"] for name, check in report["checks"].items()} == {
        "eventstore": True,
        "redis": False,
        "parked": True,
        **dict.fromkeys((*READ_MODELS, *SAGA_NAMES), False),
    }
    assert report["checks"]["redis"]["detail"].startswith(f"redis://{NOBODY}/0: ")


def test_a_read_model_that_was_never_built_is_not_an_empty_one(eventstore_uri: str, redis_uri: str) -> None:
    settings = Settings(eventstore_uri=eventstore_uri, redis_uri=redis_uri, namespace=f"nothing-{uuid4()}")
    with serving(settings) as http:
        answer = http.get("/customers/ada/orders")
        checks = http.get("/health/ready").json()["checks"]
    assert_refused(answer, 503, "read-model-unavailable", "orders_by_customer can't be read at present.")
    assert checks == {
        **_checks(WELL, "eventstore", "redis", "parked"),
        **_checks({"ok": False, "state": "behind", "detail": "is being built"}, *READ_MODELS),
        **_checks(ALONE, *SAGA_NAMES),
    }


def test_it_is_ready_when_everything_is_there(http: httpx.Client) -> None:
    answer = http.get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "checks": _checks(WELL, "eventstore", "redis", *READ_MODELS, *SAGA_NAMES, "parked")},
    )


def _checks(check: dict[str, Any], *names: str) -> dict[str, Any]:
    return dict.fromkeys(names, check)


def _eventstore(http: httpx.Client) -> tuple[int, str, str]:
    answer = http.get("/health/ready")
    return answer.status_code, answer.json()["status"], answer.json()["checks"]["eventstore"]["state"]


def _created(http: httpx.Client, order_id: str) -> list[httpx.Response]:
    answer = http.post("/orders", json=order_form(id=order_id), headers={"Idempotency-Key": order_id})
    return [answer] if answer.status_code == 201 else []


def test_a_read_model_that_is_not_built_is_one_line_for_all_queries(eventstore_uri: str, redis_uri: str) -> None:
    settings = away(eventstore_uri=eventstore_uri, redis_uri=redis_uri, namespace=f"unbuilt-{uuid4().hex[:12]}")
    with structlog.testing.capture_logs() as captured, serving(settings) as http:
        for _ in range(5):
            assert http.get(f"/orders/{uuid4()}").json()["rule"] == "read-model-unavailable"
    told = [line for line in captured if line["event"] in {"outage_began", "request_unserved"}]
    assert [(line["event"], line["server"]) for line in told] == [("outage_began", "read model order_summary")]
