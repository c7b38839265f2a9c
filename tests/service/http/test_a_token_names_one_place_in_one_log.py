"""Position tokens: what they are made of, and which of them a query takes."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.identity import store_identity
from infrastructure.readmodels.deployment import Deployment
from projections import account_balance
from service.consumers import EVENTS
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.service.http.api_server import away, serving
from tests.service.http.shop import assert_refused, done, new_account, order_form, read
from tests.support.copied_store import CopiedStore
from tests.support.polling import poll_until
from tests.support.positions import number_of

OTHER = "position is none of this log: it is of another event store."
GONE = "position is none of this log: the log holds another record there, as after a restore."
ADVICE = "Ask without it, or with one that was given out since."


@pytest.fixture(scope="module")
def store(eventstore_uri: str) -> Iterator[Operator]:
    with operating(eventstore_uri) as operator:
        yield operator


@pytest.fixture
def copied(tmp_path: Path) -> Iterator[CopiedStore]:
    made = CopiedStore(tmp_path)
    yield made
    made.process.kill()


def parts(token: str) -> list[str]:
    return token.split(".")


def test_a_commands_token_names_its_last_event_and_the_store(http: httpx.Client, store: Operator) -> None:
    account_id = new_account(http)
    token = done(http.post(f"/accounts/{account_id}/deposits", json={"amount": "1.00"}))["position"]
    *_, last = store.reader.page(f"account-{account_id}", 0, 10) or ()
    assert token == f"1.{last.position}.{str(last.id)[:8]}.{store_identity(store.reader)[:8]}"


def test_what_changes_nothing_and_what_is_repeated_gets_the_token_of_then(http: httpx.Client) -> None:
    order, key = order_form(), {"Idempotency-Key": str(uuid4())}
    created = http.post("/orders", json=order, headers=key)
    path = f"/orders/{done(created)['id']}/cancel"
    cancelled = done(http.post(path))["position"]
    assert done(http.post("/orders", json=order, headers=key))["position"] == created.json()["position"]
    assert done(http.post(path))["position"] == cancelled


def test_a_querys_own_token_is_of_the_same_store_and_is_taken(http: httpx.Client) -> None:
    opened = http.post("/accounts", json={"owner_id": "ada", "currency": "EUR"})
    path, given = f"/accounts/{opened.json()['id']}", opened.json()["position"]
    read(http, path, opened)
    own = http.get(path, params={"at_least": given, "wait": 30}).headers["Foldstream-Position"]
    assert number_of(own) >= number_of(given)
    assert parts(own)[3] == parts(given)[3]
    assert http.get(path, params={"at_least": own, "wait": 30}).status_code == 200


def test_an_event_that_is_not_known_is_not_compared(http: httpx.Client) -> None:
    opened = http.post("/accounts", json={"owner_id": "ada", "currency": "EUR"})
    path, (_, position, _, identity) = f"/accounts/{opened.json()['id']}", parts(opened.json()["position"])
    for taken in (f"1.{position}.00000000.{identity}", position):
        assert http.get(path, params={"at_least": taken, "wait": 30}).status_code == 200


@pytest.mark.parametrize("wait", ["0", "30"])
def test_a_token_of_another_store_is_foreign(http: httpx.Client, wait: str) -> None:
    opened = http.post("/accounts", json={"owner_id": "ada", "currency": "EUR"})
    path, (_, position, event, _) = f"/accounts/{opened.json()['id']}", parts(opened.json()["position"])
    answer = http.get(path, params={"at_least": f"1.{position}.{event}.{str(uuid4())[:8]}", "wait": wait})
    assert_refused(answer, 422, "foreign-position", f"The {OTHER} {ADVICE}")


def test_a_token_of_a_record_that_is_not_there_is_foreign(http: httpx.Client) -> None:
    opened = http.post("/accounts", json={"owner_id": "ada", "currency": "EUR"})
    path, (_, position, _, identity) = f"/accounts/{opened.json()['id']}", parts(opened.json()["position"])
    answer = http.get(path, params={"at_least": f"1.{position}.{str(uuid4())[:8]}.{identity}", "wait": 30})
    assert_refused(answer, 422, "foreign-position", f"The {GONE} {ADVICE}")


def test_a_token_from_beyond_the_end_is_given_back_as_it_came(http: httpx.Client) -> None:
    opened = http.post("/accounts", json={"owner_id": "ada", "currency": "EUR"})
    identity = parts(opened.json()["position"])[3]
    token = f"1.{2**63}.{str(uuid4())[:8]}.{identity}"
    answer = http.get("/customers/ada/orders", params={"at_least": token, "wait": 0})
    assert (answer.status_code, answer.json()["rule"], answer.json()["at_least"]) == (503, "read-model-behind", token)
    assert parts(answer.json()["position"])[3] == identity


def test_a_token_from_before_a_restore_is_foreign_and_no_old_row_is_answered_after_it(
    copied: CopiedStore, redis_uri: str
) -> None:
    namespace = f"test-{uuid4().hex[:12]}"
    deployed = Deployment(copied.process.uri, redis_uri, namespace, 1, EventCodec(EVENTS))
    with serving(away(eventstore_uri=copied.process.uri, redis_uri=redis_uri, namespace=namespace)) as http:
        path = f"/accounts/{new_account(http)}"
        copied.copy()
        old = done(http.post(f"{path}/deposits", json={"amount": "1.00"}))["position"]
        with ThreadWorker(deployed, account_balance.projection):
            poll_until(lambda: _at(http, path, old).status_code == 200, 20, what="the first answer")
            assert _at(http, path, old).json()["balance"] == "1.00"
        copied.put_back()
        new = [done(http.post(f"{path}/deposits", json={"amount": "5.00"}))["position"] for _ in range(2)]
        assert number_of(new[-1]) > number_of(old)
        poll_until(lambda: _at(http, path, old).status_code == 422, 5, what="a look at what took the log's place")
        assert_refused(_at(http, path, old), 422, "foreign-position", f"The {GONE} {ADVICE}")
        for token in new:
            answer = _at(http, path, token)
            assert (answer.status_code, answer.json()["rule"]) == (503, "read-model-unavailable")


def _at(http: httpx.Client, path: str, token: str) -> httpx.Response:
    return http.get(path, params={"at_least": token, "wait": 20})
