"""What becomes of a confirmed order: shipped with everything taken once, or cancelled with everything given back."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from tests.service.client import Client, stock_level
from tests.support.polling import poll_until


def sku(name: str) -> str:
    """A SKU that no other test has."""
    return f"{name}-{uuid4().hex[:12]}"


def account(account_id: str, balance: str, version: int) -> dict[str, Any]:
    return {
        "id": account_id,
        "owner_id": "ada",
        "currency": "EUR",
        "balance": balance,
        "credit_limit": "0.00",
        "version": version,
    }


def test_an_order_is_fulfilled(client: Client) -> None:
    lamp, cup = sku("lamp"), sku("cup")
    client.receive(lamp, 10)
    client.receive(cup, 5)
    account_id = client.account("100.00")
    order_id = client.order(account_id, (lamp, 2, "19.90"), (cup, 5, "3.00"), (lamp, 1, "18.00"))
    client.confirm(order_id)
    order = client.ended(order_id)
    assert (order["status"], order["reason"], order["total"]) == ("shipped", None, "72.80")
    client.assert_becomes(f"/stock/{lamp}", stock_level(lamp, 7, version=3))
    client.assert_becomes(f"/stock/{cup}", stock_level(cup, 0, version=3))
    client.assert_becomes(f"/accounts/{account_id}", account(account_id, "27.20", version=2))


def test_an_order_of_which_something_is_out_of_stock_is_cancelled(client: Client) -> None:
    lamp, missing = sku("a-lamp"), sku("b-cup")
    client.receive(lamp, 10)
    client.receive(missing, 4)
    account_id = client.account("100.00")
    order_id = client.order(account_id, (lamp, 2, "1.00"), (missing, 5, "1.00"))
    client.confirm(order_id)
    order = client.ended(order_id)
    assert (order["status"], order["reason"]) == ("cancelled", "out-of-stock")
    client.assert_becomes(f"/stock/{lamp}", stock_level(lamp, 10, version=3))
    client.assert_becomes(f"/stock/{missing}", stock_level(missing, 4, version=2))
    client.assert_becomes(f"/accounts/{account_id}", account(account_id, "100.00", version=1))


def test_an_order_that_can_not_be_paid_is_cancelled(client: Client) -> None:
    lamp = sku("lamp")
    client.receive(lamp, 10)
    account_id = client.account("9.99")
    order_id = client.order(account_id, (lamp, 1, "10.00"))
    client.confirm(order_id)
    order = client.ended(order_id)
    assert (order["status"], order["reason"]) == ("cancelled", "insufficient-funds")
    client.assert_becomes(f"/stock/{lamp}", stock_level(lamp, 10, version=3))
    client.assert_becomes(f"/accounts/{account_id}", account(account_id, "9.99", version=2))


def test_an_order_on_an_account_that_does_not_exist_is_cancelled(client: Client) -> None:
    lamp = sku("lamp")
    client.receive(lamp, 10)
    order_id = client.order(str(uuid4()), (lamp, 1, "10.00"))
    client.confirm(order_id)
    order = client.ended(order_id)
    assert (order["status"], order["reason"]) == ("cancelled", "account-unusable")
    client.assert_becomes(f"/stock/{lamp}", stock_level(lamp, 10, version=3))


def test_a_cancel_that_races_the_shipping_ends_in_one_of_the_two(client: Client) -> None:
    lamp = sku("lamp")
    client.receive(lamp, 1000)
    account_id = client.account("1000.00")
    orders = [client.order(account_id, (lamp, 1, "10.00")) for _ in range(16)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda place: _confirm_and_cancel(client, orders[place], place // 2), range(16)))
    ends = [client.ended(order_id)["status"] for order_id in orders]
    assert ends == ["cancelled" if answer == "done" else "shipped" for answer in answers]
    assert set(answers) <= {"done", "order-already-shipped"}
    shipped = ends.count("shipped")
    # registered, received, then each order reserved and either consumed or released
    client.assert_becomes(f"/stock/{lamp}", stock_level(lamp, 1000 - shipped, version=1 + 2 * len(orders)))
    balance = f"{1000 - 10 * shipped}.00"
    poll_until(lambda: client.get(f"/accounts/{account_id}")["balance"] == balance, seconds=10, what=balance)


def _confirm_and_cancel(client: Client, order_id: str, looks: int) -> str:
    """Lets the saga come some way, by looking at the order a few times, then cancels; the rule that refused it."""
    client.confirm(order_id)
    for _ in range(looks):
        client.get(f"/orders/{order_id}")
    answer = client.command(f"/orders/{order_id}/cancel")
    return "done" if answer.status_code == 200 else str(answer.json()["rule"])
