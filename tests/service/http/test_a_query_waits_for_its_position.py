"""Queries that name how far the read model has to be."""

import time
from uuid import uuid4

import httpx

from tests.service.http.shop import assert_refused, done, new_account, new_name, order_form, read, told
from tests.support.positions import number_of

BEYOND = str(2**63)


def test_what_was_written_is_read_at_its_position(http: httpx.Client) -> None:
    account_id = new_account(http)
    for amount in range(1, 11):
        paid = http.post(f"/accounts/{account_id}/deposits", json={"amount": "1.00"})
        assert read(http, f"/accounts/{account_id}", paid)["balance"] == f"{amount}.00"


def test_what_others_wrote_meanwhile_is_no_reason_to_wait(http: httpx.Client) -> None:
    created = http.post("/orders", json=order_form())
    paid = http.post(f"/stock/{new_name('lamp')}/receipts", json={"quantity": 1})
    assert read(http, f"/orders/{created.json()['id']}", paid)["version"] == 0


def test_an_empty_list_is_read_at_a_position_too(http: httpx.Client) -> None:
    created = http.post("/orders", json=order_form())
    assert read(http, f"/customers/{new_name('nobody')}/orders", created) == {"orders": [], "next": None}


def test_what_does_not_exist_is_unknown_at_a_position_too(http: httpx.Client) -> None:
    position = done(http.post("/orders", json=order_form()))["position"]
    order_id = str(uuid4())
    answer = http.get(f"/orders/{order_id}", params={"at_least": position})
    assert_refused(answer, 404, "unknown-order", f"There is no order {order_id}.")


def test_a_position_beyond_the_end_of_the_log_is_not_waited_for(http: httpx.Client) -> None:
    created = http.post("/orders", json=order_form())
    path = f"/orders/{done(created)['id']}"
    read(http, path, created)
    began = time.monotonic()
    answer = http.get(path, params={"at_least": BEYOND, "wait": "30"})
    assert time.monotonic() - began < 15
    assert answer.headers["Retry-After"] == "1"
    status, problem = told(answer)
    position = problem.pop("position")
    assert number_of(created.json()["position"]) <= number_of(position) < int(BEYOND)
    assert (status, problem) == (
        503,
        {
            "type": "urn:foldstream:problem:read-model-behind",
            "title": "Read model behind",
            "status": 503,
            "detail": "order_summary has not come as far as it was asked to.",
            "instance": path,
            "rule": "read-model-behind",
            "at_least": BEYOND,
        },
    )


def test_who_waits_no_time_is_told_at_once(http: httpx.Client) -> None:
    answer = http.get("/customers/ada/orders", params={"at_least": BEYOND, "wait": 0})
    assert (answer.status_code, answer.json()["rule"]) == (503, "read-model-behind")


def test_the_largest_position_there_can_be_is_beyond_the_end(http: httpx.Client) -> None:
    answer = http.get(f"/accounts/{uuid4()}/statement", params={"at_least": str(2**64 - 1), "wait": 0})
    assert (answer.status_code, answer.json()["rule"]) == (503, "read-model-behind")


def test_every_answer_says_how_far_its_read_model_has_come(http: httpx.Client) -> None:
    created = http.post("/orders", json=order_form())
    path = f"/orders/{created.json()['id']}"
    read(http, path, created)
    assert number_of(http.get(path).headers["Foldstream-Position"]) >= number_of(created.json()["position"])
