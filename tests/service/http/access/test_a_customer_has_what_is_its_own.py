"""A customer sees and changes what belongs to it; what belongs to others is as if it were not there."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.service.http.shop import LAMP, assert_refused, done, new_name
from tests.service.http.travel import SEATS
from tests.support.callers import header_of

Made = Callable[[httpx.Client, str], str]
KINDS = ("orders", "accounts", "trips")
OWNER = {"orders": "customer_id", "accounts": "owner_id", "trips": "customer_id"}
ACTION = {"orders": "create-order", "accounts": "open-account", "trips": "request-trip"}
UNKNOWN = {"orders": "order", "accounts": "account", "trips": "trip"}
READS = ("/orders/{orders}", "/accounts/{accounts}", "/accounts/{accounts}/statement", "/trips/{trips}")
LISTS = ("orders", "trips", "notifications")
COMMANDS: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("POST", "/orders/{orders}/items", LAMP),
    ("DELETE", "/orders/{orders}/items/1", None),
    ("POST", "/orders/{orders}/confirm", None),
    ("POST", "/orders/{orders}/cancel", None),
    ("POST", "/accounts/{accounts}/deposits", {"amount": "1.00"}),
    ("POST", "/accounts/{accounts}/withdrawals", {"amount": "1.00"}),
    ("POST", "/trips/{trips}/cancel", None),
)


def form(kind: str, owner: str, **members: Any) -> dict[str, Any]:
    forms: dict[str, dict[str, Any]] = {
        "orders": {"account_id": str(uuid4()), "currency": "EUR", "items": [LAMP]},
        "accounts": {"currency": "EUR"},
        "trips": {"flight": SEATS},
    }
    return {**forms[kind], OWNER[kind]: owner, **members}


@pytest.fixture(scope="module")
def bob() -> str:
    return new_name("bob")


@pytest.fixture(scope="module")
def his(api: str, http: httpx.Client, bob: str) -> Iterator[httpx.Client]:
    """Bob's connection."""
    headers = header_of(bob, "customer")
    with httpx.Client(
        base_url=api, timeout=40, trust_env=False, headers=headers, event_hooks=http.event_hooks
    ) as client:
        yield client


@pytest.fixture(scope="module")
def hers(http: httpx.Client) -> dict[str, str]:
    """Ids of an order, an account and a trip of Ada's, by kind, which the read models show."""
    ada = new_name("ada")
    shown: dict[str, Any] = {"consistency": "order_summary,account_balance,account_statement,trip_summary", "wait": 30}
    made = {kind: http.post(f"/{kind}", json=form(kind, ada), params=shown) for kind in KINDS}
    assert {answer.status_code for answer in made.values()} == {201}
    return {"ada": ada, **{kind: str(answer.json()["id"]) for kind, answer in made.items()}}


def none_of(hers: dict[str, str]) -> dict[str, str]:
    """The same of things that nobody has."""
    return {name: str(uuid4()) for name in hers}


def told(answer: httpx.Response, *ids: str) -> tuple[int, dict[str, Any], list[str]]:
    """Status, problem and the names of the headers, without the ids that were asked for."""
    problem = {name: _without(text, ids) for name, text in answer.json().items()}
    return answer.status_code, problem, sorted(answer.headers)


def _without(text: Any, ids: tuple[str, ...]) -> Any:
    for each in ids if isinstance(text, str) else ():
        text = text.replace(each, "ID")
    return text


@pytest.mark.parametrize("path", READS)
def test_what_another_has_reads_as_what_is_not_there(his: httpx.Client, hers: dict[str, str], path: str) -> None:
    there, absent = (told(his.get(path.format(**ids)), *ids.values()) for ids in (hers, none_of(hers)))
    assert there == absent
    assert there[0] == 404


@pytest.mark.parametrize(("method", "path", "body"), COMMANDS)
def test_what_another_has_is_changed_as_little_as_what_is_not_there(
    his: httpx.Client, http: httpx.Client, hers: dict[str, str], method: str, path: str, body: dict[str, Any] | None
) -> None:
    kind = path.split("/")[1]
    before = http.get(f"/history/{UNKNOWN[kind]}-{hers[kind]}").json()
    there, absent = (
        told(his.request(method, path.format(**ids), json=body), *ids.values()) for ids in (hers, none_of(hers))
    )
    assert there == absent
    assert (there[0], there[1]["rule"]) == (404, f"unknown-{UNKNOWN[kind]}")
    assert http.get(f"/history/{UNKNOWN[kind]}-{hers[kind]}").json() == before


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_another_s_is_that_of_a_customer_without_any(
    his: httpx.Client, hers: dict[str, str], name: str
) -> None:
    lists = [his.get(f"/customers/{customer}/{name}") for customer in (hers["ada"], new_name("nobody"))]
    assert [(answer.status_code, answer.json()) for answer in lists] == [(200, {name: [], "next": None})] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_created_in_another_s_name(his: httpx.Client, bob: str, hers: dict[str, str], kind: str) -> None:
    new_id = str(uuid4())
    refused = his.post(f"/{kind}", json=form(kind, hers["ada"], id=new_id))
    said = f"The roles of this caller do not allow {ACTION[kind]}."
    assert_refused(refused, 403, "forbidden", said, action=ACTION[kind])
    malformed = his.post(f"/{kind}", json={**form(kind, hers["ada"]), OWNER[kind]: ""})
    assert malformed.status_code == 422, "its form comes first"
    assert done(his.post(f"/{kind}", json=form(kind, bob, id=new_id)))["id"] == new_id


def test_its_own_is_there_for_it(his: httpx.Client, bob: str) -> None:
    order = done(his.post("/orders", json=form("orders", bob), params={"consistency": "order_summary", "wait": 30}))
    assert his.get(f"/orders/{order['id']}").json()["customer_id"] == bob
    assert done(his.post(f"/orders/{order['id']}/items", json=LAMP))["line"] == 2
    account = done(his.post("/accounts", json=form("accounts", bob), params={"consistency": "account_statement"}))
    assert done(his.post(f"/accounts/{account['id']}/deposits", json={"amount": "5.00"}))["version"] == 1
    read = his.get(f"/accounts/{account['id']}/statement", params={"at_least": account["position"], "wait": 30})
    assert read.status_code == 200


@pytest.mark.parametrize("path", ["/orders", "/accounts", "/stock", "/sagas", "/dashboard", "/dashboard/revenue"])
def test_lists_over_all_customers_are_not_for_one(his: httpx.Client, path: str) -> None:
    assert his.get(path).json()["rule"] == "forbidden"
