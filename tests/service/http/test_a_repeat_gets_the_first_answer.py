"""Requests sent again under their Idempotency-Key."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.service.http.shop import (
    LAMP,
    SHADE,
    assert_refused,
    done,
    new_account,
    new_name,
    new_order,
    order_form,
    read,
)

REUSED = "Under this Idempotency-Key something else was asked before."


def test_a_repeat_gets_the_same_status_body_and_headers(http: httpx.Client) -> None:
    key, form = _key(), order_form()
    first, again = (http.post("/orders", json=form, headers=key) for _ in range(2))
    assert _whole(again) == _whole(first)
    assert first.status_code == 201


def test_a_repeat_after_later_commands_gets_the_first_answer(http: httpx.Client) -> None:
    order_id, key = new_order(http), _key()
    path = f"/orders/{order_id}/items"
    first = http.post(path, json=SHADE, headers=key)
    done(http.post(path, json=LAMP))
    done(http.delete(f"{path}/2"))
    done(http.post(f"/orders/{order_id}/cancel"))
    again = http.post(path, json=SHADE, headers=key)
    assert _whole(again) == _whole(first)
    assert first.json()["line"] == 2


def test_a_repeated_deposit_is_paid_in_once(http: httpx.Client) -> None:
    account_id, key = new_account(http), _key()
    path = f"/accounts/{account_id}/deposits"
    answers = [http.post(path, json={"amount": "5.00"}, headers=key) for _ in range(3)]
    assert read(http, f"/accounts/{account_id}", answers[-1])["balance"] == "5.00"


def test_a_repeated_first_receipt_says_again_that_it_created_the_sku(http: httpx.Client) -> None:
    path, key = f"/stock/{new_name('lamp')}/receipts", _key()
    first = http.post(path, json={"quantity": 1}, headers=key)
    done(http.post(path, json={"quantity": 1}))
    again = http.post(path, json={"quantity": 1}, headers=key)
    assert _whole(again) == _whole(first)
    assert again.status_code == 201


def test_sent_many_times_at_once_it_happens_once(http: httpx.Client) -> None:
    key, form = _key(), {"owner_id": "ada", "currency": "EUR"}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: http.post("/accounts", json=form, headers=key), range(8)))
    assert {str(_whole(answer)) for answer in answers} == {str(_whole(answers[0]))}
    assert answers[0].status_code == 201


def test_the_same_request_may_be_written_in_other_bytes(http: httpx.Client) -> None:
    order_id, key = new_order(http), {**_key(), "Content-Type": "application/json"}
    path = f"/orders/{order_id}/items"
    first = http.post(path, content=b'{"sku":"lamp","quantity":1,"unit_price":"1.00"}', headers=key)
    again = http.post(
        path.replace(order_id, order_id.upper()),
        content=b'{ "unit_price": "1.00", "quantity": 1, "sku": "l\\u0061mp" }',
        headers=key,
    )
    assert _whole(again) == _whole(first)


@pytest.mark.parametrize("body", [{}, None])
def test_no_body_and_one_that_says_nothing_are_the_same_request(
    http: httpx.Client, body: dict[str, Any] | None
) -> None:
    order_id, key = new_order(http), _key()
    first = http.post(f"/orders/{order_id}/cancel", headers=key)
    assert _whole(http.post(f"/orders/{order_id}/cancel", json=body, headers=key)) == _whole(first)


def test_the_same_key_for_another_body_is_refused(http: httpx.Client) -> None:
    order_id, key = new_order(http), _key()
    done(http.post(f"/orders/{order_id}/items", json=SHADE, headers=key))
    answer = http.post(f"/orders/{order_id}/items", json=LAMP, headers=key)
    assert_refused(answer, 422, "idempotency-key-reused", REUSED)


def test_the_same_key_for_another_path_is_refused(http: httpx.Client) -> None:
    order_id, key = new_order(http), _key()
    done(http.post(f"/orders/{order_id}/cancel", headers=key))
    assert_refused(http.post(f"/orders/{order_id}/confirm", headers=key), 422, "idempotency-key-reused", REUSED)


def test_keys_belong_to_one_aggregate(http: httpx.Client) -> None:
    key = _key()
    versions = [done(http.post(f"/orders/{new_order(http)}/items", json=SHADE, headers=key)) for _ in range(2)]
    assert [answer["version"] for answer in versions] == [1, 1]


def test_a_key_of_orders_is_free_for_accounts(http: httpx.Client) -> None:
    key = _key()
    order = done(http.post("/orders", json=order_form(), headers=key))
    account = done(http.post("/accounts", json={"owner_id": "ada", "currency": "EUR"}, headers=key))
    assert order["id"] != account["id"]


def test_another_creation_under_the_same_key_is_refused(http: httpx.Client) -> None:
    key = _key()
    done(http.post("/orders", json=order_form(), headers=key))
    assert_refused(http.post("/orders", json=order_form(), headers=key), 422, "idempotency-key-reused", REUSED)


def test_a_refused_command_is_decided_anew_under_its_key(http: httpx.Client) -> None:
    account_id, key = new_account(http), _key()
    path = f"/accounts/{account_id}/withdrawals"
    assert http.post(path, json={"amount": "1.00"}, headers=key).json()["rule"] == "insufficient-funds"
    done(http.post(f"/accounts/{account_id}/deposits", json={"amount": "1.00"}))
    assert http.post(path, json={"amount": "1.00"}, headers=key).status_code == 200


def test_a_repeat_is_recognised_before_its_condition_is_checked(http: httpx.Client) -> None:
    order_id, key = new_order(http), {**_key(), "If-Match": '"0"'}
    first, again = (http.post(f"/orders/{order_id}/items", json=SHADE, headers=key) for _ in range(2))
    assert _whole(again) == _whole(first)
    assert first.json()["version"] == 1


@pytest.mark.parametrize("key", ["!", "~" * 128])
def test_a_key_is_any_visible_text_of_up_to_128_characters(http: httpx.Client, key: str) -> None:
    order_id = new_order(http)
    assert http.post(f"/orders/{order_id}/cancel", headers={"Idempotency-Key": key}).status_code == 200


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("k", '"k"'),
        ('"k"', "k"),
        ('"k"', '"k"'),
        ("a\\b", r'"a\\b"'),
        ('"', r'"\""'),
        ("x" * 128, '"' + "x" * 128 + '"'),
        ('"' * 128, '"' + r"\"" * 128 + '"'),
    ],
)
def test_a_key_may_stand_in_quotes(http: httpx.Client, first: str, again: str) -> None:
    account = f"/accounts/{new_account(http)}/deposits"
    for path, body in (("/accounts", {"owner_id": "ada", "currency": "EUR"}), (account, {"amount": "5.00"})):
        sent = [http.post(path, json=body, headers={"Idempotency-Key": key}) for key in (first, again)]
        assert _whole(sent[0]) == _whole(sent[1])
        assert sent[0].status_code in {200, 201}


@pytest.mark.parametrize("key", ['"', '"a"b"', '"a\\"', 'a"b"', '"a', '"""', '""a', '"' + "a" * 127, "a" * 127 + '"'])
def test_what_is_no_quoted_string_is_a_key_as_it_is(http: httpx.Client, key: str) -> None:
    path = f"/accounts/{new_account(http)}/deposits"
    first, again = (http.post(path, json={"amount": "5.00"}, headers={"Idempotency-Key": key}) for _ in range(2))
    assert _whole(again) == _whole(first)
    assert first.status_code == 200


def _key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def _whole(answer: httpx.Response) -> tuple[int, Any, list[str | None]]:
    names = ("Foldstream-Position", "ETag", "Location")
    return answer.status_code, answer.json(), [answer.headers.get(name) for name in names]
