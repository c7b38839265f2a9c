"""Stock received, written off and read over HTTP."""

import httpx

from tests.service.http.shop import assert_changed, assert_refused, new_name, new_stock, read


def test_the_first_receipt_creates_the_sku(http: httpx.Client) -> None:
    sku = new_name("lamp")
    answer = http.post(f"/stock/{sku}/receipts", json={"quantity": 3})
    assert_changed(answer, 201, sku, 1)
    assert answer.headers["Location"] == f"/stock/{sku}"


def test_later_receipts_add_to_it(http: httpx.Client) -> None:
    sku = new_stock(http, 3)
    answer = http.post(f"/stock/{sku}/receipts", json={"quantity": 4})
    assert_changed(answer, 200, sku, 2)
    assert "Location" not in answer.headers
    assert read(http, f"/stock/{sku}", answer)["on_hand"] == 7


def test_damaged_goods_are_written_off(http: httpx.Client) -> None:
    sku = new_stock(http, 5)
    answer = http.post(f"/stock/{sku}/damages", json={"quantity": 2})
    assert_changed(answer, 200, sku, 2)
    assert read(http, f"/stock/{sku}", answer) == {
        "sku": sku,
        "on_hand": 3,
        "reserved": 0,
        "available": 3,
        "damaged": 2,
        "version": 2,
    }


def test_more_than_is_available_can_t_be_written_off(http: httpx.Client) -> None:
    sku = new_stock(http, 1)
    answer = http.post(f"/stock/{sku}/damages", json={"quantity": 2})
    assert_refused(answer, 409, "not-enough-stock", f"Of {sku} 1 are available, 2 can't be written off.")


def test_a_sku_that_was_never_received_is_unknown(http: httpx.Client) -> None:
    sku = new_name("lamp")
    expected = (404, "unknown-sku", f"There is no sku {sku}.")
    assert_refused(http.post(f"/stock/{sku}/damages", json={"quantity": 1}), *expected)
    assert_refused(http.get(f"/stock/{sku}"), *expected)


def test_a_sku_may_have_every_character_that_is_allowed(http: httpx.Client) -> None:
    sku = f"{new_name('A')}._:-z".rjust(64, "0")
    assert_changed(http.post(f"/stock/{sku}/receipts", json={"quantity": 1}), 201, sku, 1)


def test_skus_that_differ_in_case_are_two(http: httpx.Client) -> None:
    sku = new_name("lamp")
    for name in (sku, sku.upper()):
        assert_changed(http.post(f"/stock/{name}/receipts", json={"quantity": 1}), 201, name, 1)


def test_a_sku_may_be_written_with_escapes(http: httpx.Client) -> None:
    sku = new_stock(http, 1)
    assert_changed(http.post(f"/stock/{sku.replace('-', '%2D')}/receipts", json={"quantity": 1}), 200, sku, 2)
