"""Each look back, each operator's word and each refusal of one leaves an entry before it is answered."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import pytest

from domain.stock.stock import stock_id
from infrastructure.access.access_entry import AccessRecorded, record_with
from infrastructure.eventstore.record import NewRecord
from service.access.action import Action
from service.access.recorded import RECORDED, UNRECORDED
from service.http.app import create_app
from service.http.middleware.admission import DECLARED
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.history.ledger import told
from tests.service.http.api_server import away
from tests.service.http.looks import entries_of, serving_all
from tests.support.callers import header_of
from tests.support.eventstore import EventStoreProcess, limit_files

NAMES: Final = {
    "stream": "Order-1B",
    "correlation_id": str(UUID(int=11)),
    "saga_type": "fulfilment",
    "instance_id": str(UUID(int=12)),
    "saga_id": str(UUID(int=12)),
    "name": "paid",
}
OF_A_SAGA: Final = f"fulfilment-{UUID(int=12)}"
TIMELINE: Final = "/sagas/{saga_type}/{saga_id}"
RESOURCES: Final = {
    TIMELINE: OF_A_SAGA,
    "/history/trace/{correlation_id}": f"trace {UUID(int=11)}",
    "/history/{stream}": "order-1b",
    "/history/{stream}/as-of": "order-1b",
    "/history/{stream}/changes": "order-1b",
    "/access-log": "access-log",
}


def bearing(token: str) -> dict[str, str]:
    """The header of a request with a token: `ada.auditor.acme` is that of ada, an auditor of acme."""
    subject, role, tenant = token.split(".")
    return header_of(subject, role, tenant=tenant)


@dataclass(frozen=True, slots=True)
class Looked:
    """An API, and what its access log says."""

    http: httpx.Client
    store: str

    def ask(self, method: str, path: str, token: str | None = None, **given: Any) -> httpx.Response:
        headers = {} if token is None else bearing(token)
        return self.http.request(method, path, headers={**headers, **given.pop("headers", {})}, **given)

    def entries(self, tenant: str = "default") -> list[AccessRecorded]:
        return entries_of(self.store, tenant)


@pytest.fixture(scope="module")
def looked() -> Iterator[Looked]:
    with EventStoreProcess(None) as store, serving_all(store.uri) as http:
        yield Looked(http, store.uri)


def recorded_routes() -> list[tuple[str, str, Action]]:
    """Method, path and action of each route whose action is kept."""
    paths = json.loads(create_app(away()).state.document)["paths"]
    found = [(method, path, said[DECLARED]) for path, methods in paths.items() for method, said in methods.items()]
    return [(method.upper(), path, Action(said)) for method, path, said in found if said in RECORDED]


ROUTES: Final = recorded_routes()


def test_histories_timelines_traces_words_to_sagas_and_the_log_itself_are_kept() -> None:
    assert sorted(path for _, path, _ in ROUTES if "{instance_id}/" not in path) == sorted(RESOURCES)
    words = ["cancel", "compensate", "migrate", "pause", "resume", "retry", "signals/{name}", "skip"]
    assert sorted(path.partition("{instance_id}/")[2] for _, path, _ in ROUTES if "{instance_id}/" in path) == words


def test_each_action_is_kept_or_not() -> None:
    assert set(Action) == RECORDED | UNRECORDED
    assert not RECORDED & UNRECORDED
    kept_as_events = {
        action for action in Action if action.value.split("-")[0] in {"create", "change", "cancel", "open"}
    }
    assert kept_as_events & RECORDED == {Action.CANCEL_SAGA, Action.CHANGE_SNAPSHOTS}


@pytest.mark.parametrize(("method", "path", "action"), ROUTES)
@pytest.mark.parametrize(
    ("token", "rule"),
    [("ada.administrator.{}", None), ("bob.customer.{}", "forbidden"), (None, "unauthenticated")],
)
def test_it_leaves_one_entry(
    looked: Looked, method: str, path: str, action: Action, token: str | None, rule: str | None
) -> None:
    tenant, correlation_id = "default" if token is None else f"t{uuid4().hex[:8]}", uuid4()
    headers = {"Foldstream-Correlation-Id": str(correlation_id)}
    before, began = looked.entries(tenant), datetime.now(UTC)
    answer = looked.ask(method, path.format(**NAMES), token and token.format(tenant), headers=headers)
    let_in = {503} if path == TIMELINE else {200, 404, 422}  # there is no Redis
    assert answer.status_code in (let_in if rule is None else {401 if token is None else 403})
    [entry] = looked.entries(tenant)[len(before) :]
    assert began <= entry.at <= datetime.now(UTC)
    assert entry == AccessRecorded(
        entry_id=entry.entry_id,
        at=entry.at,
        subject="anonymous" if token is None else token.partition(".")[0],
        roles=() if token is None else (token.split(".")[1],),
        action=action.value,
        resource=RESOURCES.get(path, OF_A_SAGA),
        correlation_id=correlation_id,
        source="http",
        outcome="allowed" if rule is None else "refused",
        rule=rule,
    )


def test_a_sku_is_kept_by_the_name_of_its_stream_and_no_query_is_kept(looked: Looked) -> None:
    looked.ask("GET", "/history/stock:mug-blue?limit=1&cursor=1&secret=s3cret", "ada.auditor.mugs")
    [entry] = looked.entries("mugs")
    assert entry.resource == f"stock-{stock_id('mug-blue')}"
    with operating(looked.store) as operator:
        [record] = operator.reader.page(f"mugs.access-{entry.at.date()}", 0, 10) or ()
    assert b"s3cret" not in record.data
    assert b"mugs" not in record.data
    assert b"Bearer" not in record.data


def test_what_is_no_look_back_leaves_none(looked: Looked) -> None:
    for path in ("/orders/x", "/accounts", "/sagas", "/metrics", "/health/ready", "/nothing"):
        looked.ask("GET", path, "ada.administrator.quiet")
    looked.ask("POST", "/stock/mug/receipts", "ada.administrator.quiet", json={"quantity": 1})
    assert looked.entries("quiet") == []


def test_the_log_is_read_by_auditors_of_the_tenant_alone(looked: Looked) -> None:
    looked.ask("GET", "/history/order-1", "ada.auditor.acme")
    looked.ask("GET", "/history/order-1", "eve.auditor.other")
    answer = looked.ask("GET", "/access-log", "eva.auditor.acme").json()
    assert [(each["subject"], each["resource"]) for each in answer.pop("entries")] == [
        ("ada", "order-1"),
        ("eva", "access-log"),
    ]
    assert answer == {"unreadable": [], "next": None}
    assert looked.ask("GET", "/access-log", "bob.customer.acme").status_code == 403
    assert looked.ask("GET", "/access-log").status_code == 401


def test_it_is_asked_by_whom_of_what_and_when_and_read_in_parts(looked: Looked) -> None:
    began = datetime.now(UTC)
    for name in ("1", "2", "3"):
        looked.ask("GET", f"/history/order-{name}", "ada.auditor.parts")
    looked.ask("GET", "/history/stock:mug", "bob.auditor.parts")

    def found(**query: str) -> list[str]:
        answer = looked.ask("GET", "/access-log", "eva.auditor.parts", params={"limit": "100", **query}).json()
        return [each["resource"] for each in answer["entries"] if each["subject"] != "eva"]

    assert found(subject="bob") == found(resource="stock:mug") == [f"stock-{stock_id('mug')}"]
    assert found(action="read-history", resource="order-2") == ["order-2"]
    assert found(to=began.isoformat()) == []
    first = looked.ask("GET", "/access-log", "eva.auditor.parts", params={"subject": "ada", "limit": "2"}).json()
    rest = {"subject": "ada", "cursor": first["next"]}
    second = looked.ask("GET", "/access-log", "eva.auditor.parts", params=rest).json()
    assert [each["resource"] for each in (*first["entries"], *second["entries"])] == ["order-1", "order-2", "order-3"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "pointer", "reason"),
    [
        ("cursor=1", "?cursor", "is none of those that this service gives out"),
        ("cursor=2026-02-30.1", "?cursor", "is none of those that this service gives out"),
        ("subject=", "?subject", "should have at least 1 character"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "?from", "should be before the end of the time"),
        ("from=2024-01-01T00:00:00Z", "?from", "should be at most 400 days before the end of the time"),
        ("who=ada", "?who", "is not known here"),
    ],
)
def test_what_can_not_be_asked_is_malformed(looked: Looked, query: str, pointer: str, reason: str) -> None:
    answer = looked.ask("GET", f"/access-log?{query}", "ada.auditor.wrong")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": pointer, "reason": reason}]


@pytest.mark.parametrize("to", ["0001-01-01T00:00:01Z", "9999-12-31T23:59:59Z"])
def test_the_ends_of_time_are_times(looked: Looked, to: str) -> None:
    answer = looked.ask("GET", f"/access-log?to={to}", "ada.auditor.ends")
    assert (answer.status_code, answer.json()["entries"]) == (200, [])


def test_an_entry_of_a_later_release_is_told_as_unreadable(looked: Looked) -> None:
    looked.ask("GET", "/history/order-1", "ada.auditor.later")
    [entry] = looked.entries("later")
    stream = f"later.access-{entry.at.date()}"
    with operating(looked.store) as operator:
        later = NewRecord("AccessRecorded", record_with(entry).data, b'{"schema_version":2}')
        position = operator.append(stream, later)
    answer = looked.ask("GET", "/access-log?limit=1", "eva.auditor.later").json()
    assert answer["unreadable"] == []
    answer = looked.ask("GET", f"/access-log?cursor={answer['next']}", "eva.auditor.later").json()
    assert answer["unreadable"] == [{"stream": stream, "version": 1, "position": str(position)}]


def test_what_can_not_be_put_on_record_is_not_told(tmp_path: Path) -> None:
    """The store's disk is full: histories could be read."""
    with EventStoreProcess(tmp_path) as store, serving_all(store.uri) as http:
        with operating(store.uri) as operator:
            stream, _ = told(operator, "100.00")
        assert http.get(f"/history/{stream}", headers=bearing("ada.auditor.default")).status_code == 200
        limit_files(store.process.pid)
        for path, token in (
            (f"/history/{stream}", "ada.auditor.default"),
            (f"/history/{stream}", "ada.customer.default"),
        ):
            answer = http.get(path, headers=bearing(token))
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert answer.json() == {
                "type": "urn:foldstream:problem:store-unavailable",
                "title": "Store unavailable",
                "status": 503,
                "detail": "The event store can't be used at present.",
                "instance": path,
                "rule": "store-unavailable",
            }


def test_a_store_that_is_away_is_no_way_round_it(tmp_path: Path) -> None:
    with EventStoreProcess(tmp_path) as store, serving_all(store.uri) as http:
        store.kill()
        for token in ("ada.auditor.default", "bob.customer.default"):
            assert http.get("/history/order-1", headers=bearing(token)).status_code == 503
        assert http.get("/history/order-1").status_code == 503
