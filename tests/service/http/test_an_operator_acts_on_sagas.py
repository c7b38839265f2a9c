"""Operators act on instances of sagas over HTTP, and people send them signals: answered as commands are."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from domain.accounts.account import ChargeAccount
from domain.engine_events import SagaPaused, SagaSignalled
from domain.message import Command, Recorded
from domain.ordering.order import RequestCancellation
from domain.signal import Signal
from domain.stock.stock import ConsumeReservation, ReleaseReservation
from infrastructure.eventstore.record import NewRecord
from service.http.app import create_app
from tests.infrastructure.sagas.errand import Errands
from tests.infrastructure.sagas.fulfilments import Fulfilments, Order, fulfilling
from tests.service.http.api_server import answering, away
from tests.service.http.description import Description
from tests.service.http.shop import assert_changed, assert_refused
from tests.support.eventstore import EventStoreProcess

WHY: Final = {"why": "the bank is asked"}
NO_HEADERS: Final[Mapping[str, str]] = {}
UNKNOWN: Final = str(uuid4())
SIGNALLED: Final = replace(Errands("of_http").saga, signals=(Signal("hurry"),))
"""A saga that waits for a signal; what it does with it is another's matter."""


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with EventStoreProcess(None) as process:
        yield process.uri


@pytest.fixture(scope="module")
def http(store: str) -> Iterator[httpx.Client]:
    """A connection to an API without any workers; every answer that comes over it has to be as described."""
    app = create_app(away(eventstore_uri=store))
    app.state.connections.sagas[SIGNALLED.category] = SIGNALLED
    with answering(app) as client:
        description = Description(client.get("/openapi.json").json())
        client.event_hooks = {"response": [description.demand]}
        yield client


def told(store: str, story: Callable[[Fulfilments], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with fulfilling(store) as shop:
            return await story(shop)

    return asyncio.run(run())


def begun(store: str, broken: type[Command], funds: str = "20.00") -> Order:
    """An order whose fulfilment came as far as this command."""
    order: Order = told(store, lambda shop: shop.begun(broken, funds=funds))
    return order


def last_of(store: str, stream: str) -> Recorded[Any]:
    recorded: list[Recorded[Any]] = told(store, lambda shop: shop.recorded(stream))
    return recorded[-1]


def names(store: str, stream: str) -> list[str]:
    story: list[str] = told(store, lambda shop: shop.story(stream))
    return story


def say(
    http: httpx.Client, instance: str, verb: str, body: Mapping[str, Any] = WHY, headers: Mapping[str, str] = NO_HEADERS
) -> httpx.Response:
    return http.post(f"/sagas/fulfilment/{instance}/{verb}", json=body, headers=headers)


def test_a_word_is_answered_as_a_command_is_and_its_repeat_alike(store: str, http: httpx.Client) -> None:
    order = begun(store, ChargeAccount)
    key = {"Idempotency-Key": "pause-1"}
    paused = say(http, order.id, "pause", headers=key)
    assert_changed(paused, 200, order.id, 4)
    noted = last_of(store, order.stream)
    assert (noted.event, noted.metadata.actor) == (SagaPaused(why=WHY["why"]), "tester")
    assert paused.headers["ETag"] == '"4"'
    assert_changed(say(http, order.id, "resume"), 200, order.id, 5)
    again = say(http, order.id, "pause", headers=key)
    assert (again.status_code, again.content, again.headers["ETag"]) == (200, paused.content, '"4"')
    reused = say(http, order.id, "pause", {"why": "something else"}, headers=key)
    assert (reused.status_code, reused.json()["rule"]) == (422, "idempotency-key-reused")
    assert names(store, order.stream)[4:] == ["SagaPaused", "SagaResumed"]


def test_each_verb_is_taken_where_the_state_allows_it(store: str, http: httpx.Client) -> None:
    order = begun(store, ChargeAccount)
    assert_changed(say(http, order.id, "cancel"), 200, order.id, 4)
    assert_changed(say(http, order.id, "compensate"), 200, order.id, 6)
    assert_changed(say(http, order.id, "migrate"), 200, order.id, 6)
    assert_changed(say(http, order.id, "migrate", {**WHY, "version": 2}), 200, order.id, 6)
    told(store, lambda shop: shop.coordinator.stop(order.message, "a bug"))
    assert_changed(say(http, order.id, "retry"), 200, order.id, 8)
    assert names(store, f"order-{order.id}")[-1] == "CancellationRequested"
    undoing = begun(store, ReleaseReservation, funds="1.00")
    version = len(names(store, undoing.stream)) + 2
    skipped = say(http, undoing.id, "skip", {**WHY, "step": f"release:{undoing.skus[1]}"})
    assert_changed(skipped, 200, undoing.id, version)
    assert names(store, undoing.stream)[-3:] == ["SagaStepSkipped", "GoodsReturned", "SagaResumed"]


FORBIDDEN: Final = {
    "retry": (WHY, "saga-not-retryable", "has not stopped"),
    "resume": (WHY, "saga-not-resumable", "is not paused"),
    "skip": ({**WHY, "step": "charge"}, "saga-not-skippable", "has no step charge to skip; pending: consume:"),
    "compensate": (WHY, "saga-not-compensable", "is past the point of no return"),
    "cancel": (WHY, "saga-not-cancellable", "is refused: order-already-shipped: "),
}


@pytest.mark.parametrize("verb", FORBIDDEN)
def test_a_state_that_forbids_it_is_a_conflict(store: str, http: httpx.Client, shipped: Order, verb: str) -> None:
    body, rule, fault = FORBIDDEN[verb]
    before = names(store, shipped.stream)
    refused = say(http, shipped.id, verb, body)
    assert (refused.status_code, refused.json()["rule"]) == (409, rule)
    assert refused.json()["detail"].startswith(f"{shipped.stream} {fault}")
    assert names(store, shipped.stream) == before


@pytest.fixture(scope="module")
def shipped(store: str) -> Order:
    """An order that was shipped, and whose things were not handed over yet."""
    return begun(store, ConsumeReservation)


def test_what_stands_still_is_not_paused(store: str, http: httpx.Client) -> None:
    order = begun(store, ChargeAccount)
    assert say(http, order.id, "pause").status_code == 200
    refused = say(http, order.id, "pause")
    assert_refused(refused, 409, "saga-not-pausable", f"{order.stream} stands still already.")


def test_the_order_of_checks_is_that_of_commands(store: str, http: httpx.Client, shipped: Order) -> None:
    """Form, existence, version, rules."""
    version = len(names(store, shipped.stream)) - 1
    malformed = say(http, UNKNOWN, "retry", {})
    assert (malformed.status_code, malformed.json()["errors"][0]["pointer"]) == (422, "/why")
    unknown = say(http, UNKNOWN, "retry", headers={"If-Match": '"7"'})
    assert_refused(unknown, 404, "unknown-saga", f"There is no fulfilment-{UNKNOWN}: no message has come for it.")
    mismatch = say(http, shipped.id, "retry", headers={"If-Match": '"7000"'})
    assert (mismatch.status_code, mismatch.json()["rule"]) == (412, "version-mismatch")
    forbidden = say(http, shipped.id, "retry", headers={"If-Match": f'"{version}"'})
    assert (forbidden.status_code, forbidden.json()["rule"]) == (409, "saga-not-retryable")


@pytest.mark.parametrize(
    ("verb", "body", "pointer"),
    [
        ("pause", {"why": ""}, "/why"),
        ("pause", {"why": " "}, "/why"),
        ("pause", {"why": "x" * 201}, "/why"),
        ("pause", {**WHY, "step": "charge"}, "/step"),
        ("skip", WHY, "/step"),
        ("migrate", {**WHY, "version": 3}, "/version"),
        ("migrate", {**WHY, "version": "1"}, "/version"),
    ],
)
def test_a_malformed_word_is_refused_with_where(
    http: httpx.Client, shipped: Order, verb: str, body: dict[str, Any], pointer: str
) -> None:
    refused = say(http, shipped.id, verb, body)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


def test_a_saga_that_there_is_not_is_unknown(http: httpx.Client) -> None:
    for path in (f"/sagas/shipping/{UNKNOWN}/pause", f"/sagas/order/{UNKNOWN}/migrate"):
        refused = http.post(path, json=WHY)
        assert (refused.status_code, refused.json()["rule"]) == (404, "unknown-saga")


def test_an_event_that_can_not_be_read_is_told_where_the_state_matters(store: str, http: httpx.Client) -> None:
    order = begun(store, ChargeAccount)

    async def damage(shop: Fulfilments) -> None:
        await shop.handler.streams.append(order.stream, 3, [NewRecord("FulfilmentMelted", b"{}", b"{}")])

    told(store, damage)
    refused = say(http, order.id, "compensate")
    assert (refused.status_code, refused.json()["rule"], refused.json()["version"]) == (500, "unreadable-event", 4)
    assert_changed(say(http, order.id, "pause"), 200, order.id, 5)


def test_a_signal_is_kept_for_its_instance_once(store: str, http: httpx.Client) -> None:
    instance = str(uuid4())
    stream = f"{SIGNALLED.category}-{instance}"

    async def begin(shop: Fulfilments) -> None:
        await shop.handler.streams.append(stream, -1, [NewRecord("ErrandBegun", b"{}", b"{}")])

    told(store, begin)
    path, key = f"/sagas/{SIGNALLED.category}/{instance}/signals/hurry", {"Idempotency-Key": "signal-1"}
    payload = {"by": "noon", "steps": [1, 2]}
    signalled = http.post(path, json=payload, headers=key)
    assert_changed(signalled, 200, instance, 1)
    assert http.post(path, json=payload, headers=key).content == signalled.content
    assert_changed(http.post(path), 200, instance, 2)
    assert stored(store, stream) == [
        SagaSignalled(name="hurry", payload=payload),
        SagaSignalled(name="hurry", payload={}),
    ]
    missing = f"{stream} knows no signal slowly; there is hurry."
    assert_refused(http.post(path.replace("hurry", "slowly")), 404, "unknown-signal", missing)
    assert http.post(path, json=[1]).status_code == 422
    unknown = http.post(path.replace(instance, UNKNOWN))
    assert (unknown.status_code, unknown.json()["rule"]) == (404, "unknown-saga")


def stored(store: str, stream: str) -> list[Any]:
    """The signals in a stream."""

    async def read(shop: Fulfilments) -> list[Any]:
        return [each.event for each in await shop.handler.streams.page(stream, 1) or []]

    signals: list[Any] = told(store, read)
    return signals


def test_a_cancelled_order_keeps_the_operator_s_words(store: str, http: httpx.Client) -> None:
    order = begun(store, ChargeAccount)
    assert say(http, order.id, "cancel").status_code == 200
    requested = last_of(store, f"order-{order.id}")
    assert requested.event.reason == WHY["why"]
    assert requested.metadata.correlation_id == last_of(store, order.stream).metadata.correlation_id
    told(store, lambda shop: shop.send(RequestCancellation(order_id=order.id)))
    assert names(store, f"order-{order.id}")[-1] == "CancellationRequested"
