"""Commands that name the version they are meant for (If-Match)."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.service.http.shop import (
    SHADE,
    assert_changed,
    assert_malformed,
    assert_refused,
    done,
    new_account,
    new_name,
    new_order,
    new_stock,
    order_form,
)


def test_a_command_for_the_present_version_is_done(http: httpx.Client) -> None:
    order_id = new_order(http)
    answer = http.post(f"/orders/{order_id}/items", json=SHADE, headers={"If-Match": '"0"'})
    assert_changed(answer, 200, order_id, 1, line=2)


def test_an_etag_can_be_sent_back_as_it_came(http: httpx.Client) -> None:
    order_id = new_order(http)
    first = http.post(f"/orders/{order_id}/items", json=SHADE)
    assert_changed(
        http.post(f"/orders/{order_id}/items", json=SHADE, headers={"If-Match": first.headers["ETag"]}),
        200,
        order_id,
        2,
        line=3,
    )


def test_a_command_for_another_version_is_refused(http: httpx.Client) -> None:
    order_id = new_order(http)
    answer = http.post(f"/orders/{order_id}/items", json=SHADE, headers={"If-Match": '"7"'})
    assert_refused(answer, 412, "version-mismatch", _mismatch("it is 0"))


def test_the_version_comes_before_the_rules(http: httpx.Client) -> None:
    order_id = new_order(http)
    done(http.post(f"/orders/{order_id}/cancel"))
    answer = http.post(f"/orders/{order_id}/confirm", headers={"If-Match": '"0"'})
    assert_refused(answer, 412, "version-mismatch", _mismatch("it is 1"))


def test_what_does_not_exist_comes_before_its_version(http: httpx.Client) -> None:
    order_id = str(uuid4())
    answer = http.post(f"/orders/{order_id}/confirm", headers={"If-Match": '"0"'})
    assert_refused(answer, 404, "unknown-order", f"There is no order {order_id}.")


def test_a_creation_has_no_version_to_match(http: httpx.Client) -> None:
    answer = http.post("/orders", json=order_form(), headers={"If-Match": '"0"'})
    assert_refused(answer, 412, "version-mismatch", _mismatch("there is none yet"))


def test_a_creation_has_none_even_where_the_id_is_taken(http: httpx.Client) -> None:
    order_id = new_order(http)
    answer = http.post("/orders", json=order_form(id=order_id), headers={"If-Match": '"0"'})
    assert_refused(answer, 412, "version-mismatch", _mismatch("it is 0"))


def test_the_first_receipt_of_a_sku_has_none_either(http: httpx.Client) -> None:
    answer = http.post(f"/stock/{new_name('lamp')}/receipts", json={"quantity": 1}, headers={"If-Match": '"0"'})
    assert_refused(answer, 412, "version-mismatch", _mismatch("there is none yet"))


def test_a_later_receipt_has_one(http: httpx.Client) -> None:
    sku = new_stock(http, 1)
    answer = http.post(f"/stock/{sku}/receipts", json={"quantity": 1}, headers={"If-Match": '"1"'})
    assert_changed(answer, 200, sku, 2)


@pytest.mark.parametrize("movement", ["deposits", "withdrawals"])
def test_the_form_comes_before_the_version_even_where_only_the_account_tells(http: httpx.Client, movement: str) -> None:
    account_id = new_account(http, currency="JPY")
    answer = http.post(f"/accounts/{account_id}/{movement}", json={"amount": "1.00"}, headers={"If-Match": '"7"'})
    assert_malformed(answer, ("/amount", "1.00 is no amount of JPY: it has 0 decimals."))


def test_nothing_to_change_is_refused_too_for_another_version(http: httpx.Client) -> None:
    order_id = new_order(http)
    done(http.post(f"/orders/{order_id}/cancel"))
    answer = http.post(f"/orders/{order_id}/cancel", headers={"If-Match": '"0"'})
    assert_refused(answer, 412, "version-mismatch", _mismatch("it is 1"))


def _mismatch(present: str) -> str:
    return f"The version that If-Match names is not the present one: {present}."


def test_of_many_commands_for_one_version_one_is_done(http: httpx.Client) -> None:
    order_id = new_order(http)

    def add(_: int) -> int:
        return http.post(f"/orders/{order_id}/items", json=SHADE, headers={"If-Match": '"0"'}).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = sorted(threads.map(add, range(8)))
    assert statuses == [200] + [412] * 7


def test_commands_without_a_version_are_done_one_after_the_other(http: httpx.Client) -> None:
    order_id = new_order(http)

    def add(_: int) -> int:
        return int(done(http.post(f"/orders/{order_id}/items", json=SHADE))["line"])

    with ThreadPoolExecutor(4) as threads:
        lines = sorted(threads.map(add, range(4)))
    assert lines == [2, 3, 4, 5]
