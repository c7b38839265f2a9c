"""Accounts opened, paid into, drawn from and read over HTTP."""

from uuid import UUID, uuid4

import httpx
import pytest

from tests.service.http.shop import assert_changed, assert_malformed, assert_refused, new_account, read


def test_an_account_is_opened_under_the_id_that_it_brings(http: httpx.Client) -> None:
    account_id = str(uuid4())
    answer = http.post("/accounts", json={"id": account_id, "owner_id": "ada", "currency": "EUR"})
    assert_changed(answer, 201, account_id, 0)
    assert answer.headers["Location"] == f"/accounts/{account_id}"


def test_an_account_without_an_id_gets_one(http: httpx.Client) -> None:
    answer = http.post("/accounts", json={"owner_id": "ada", "currency": "EUR"})
    assert_changed(answer, 201, str(UUID(answer.json()["id"])), 0)


def test_an_id_that_is_taken_is_refused(http: httpx.Client) -> None:
    account_id = new_account(http)
    answer = http.post("/accounts", json={"id": account_id, "owner_id": "bob", "currency": "EUR"})
    assert_refused(answer, 409, "account-exists", f"There is an account {account_id} already.")


@pytest.mark.parametrize(
    ("currency", "given", "nothing", "limit"),
    [("EUR", {}, "0.00", "0.00"), ("JPY", {}, "0", "0"), ("GBP", {"credit_limit": "50.00"}, "0.00", "50.00")],
)
def test_an_account_is_read_as_it_was_opened(
    http: httpx.Client, currency: str, given: dict[str, str], nothing: str, limit: str
) -> None:
    answer = http.post("/accounts", json={"owner_id": "ada", "currency": currency, **given})
    account_id = answer.json()["id"]
    assert read(http, f"/accounts/{account_id}", answer) == {
        "id": account_id,
        "owner_id": "ada",
        "currency": currency,
        "balance": nothing,
        "credit_limit": limit,
        "version": 0,
    }


def test_the_balance_follows_deposits_and_withdrawals(http: httpx.Client) -> None:
    account_id = new_account(http)
    assert_changed(http.post(f"/accounts/{account_id}/deposits", json={"amount": "19.90"}), 200, account_id, 1)
    drawn = http.post(f"/accounts/{account_id}/withdrawals", json={"amount": "0.01"})
    assert_changed(drawn, 200, account_id, 2)
    account = read(http, f"/accounts/{account_id}", drawn)
    assert (account["balance"], account["version"]) == ("19.89", 2)


def test_an_account_may_go_below_zero_as_far_as_its_limit(http: httpx.Client) -> None:
    account_id = new_account(http, credit_limit="10.00")
    drawn = http.post(f"/accounts/{account_id}/withdrawals", json={"amount": "10.00"})
    assert read(http, f"/accounts/{account_id}", drawn)["balance"] == "-10.00"
    answer = http.post(f"/accounts/{account_id}/withdrawals", json={"amount": "0.01"})
    assert (answer.status_code, answer.json()["rule"]) == (409, "insufficient-funds")


def test_an_amount_is_in_the_account_s_currency(http: httpx.Client) -> None:
    account_id = new_account(http)
    answer = http.post(f"/accounts/{account_id}/deposits", json={"amount": "20"})
    assert_malformed(answer, ("/amount", "20 is no amount of EUR: it has 2 decimals."))


@pytest.mark.parametrize("command", ["deposits", "withdrawals"])
def test_an_account_that_does_not_exist_is_unknown(http: httpx.Client, command: str) -> None:
    account_id = str(uuid4())
    answer = http.post(f"/accounts/{account_id}/{command}", json={"amount": "1.00"})
    assert_refused(answer, 404, "unknown-account", f"There is no account {account_id}.")


@pytest.mark.parametrize("part", ["", "/statement"])
def test_what_does_not_exist_can_t_be_read(http: httpx.Client, part: str) -> None:
    account_id = str(uuid4())
    answer = http.get(f"/accounts/{account_id}{part}")
    assert_refused(answer, 404, "unknown-account", f"There is no account {account_id}.")


def test_a_statement_lists_what_changed_the_balance_newest_first(http: httpx.Client) -> None:
    account_id = new_account(http, "50.00")
    drawn = http.post(f"/accounts/{account_id}/withdrawals", json={"amount": "0.50"})
    statement = read(http, f"/accounts/{account_id}/statement", drawn)
    first, second = (entry["at"] for entry in statement["entries"])
    assert statement == {
        "entries": [
            {"at": first, "kind": "withdrawal", "amount": "0.50", "balance": "49.50", "reference": None},
            {"at": second, "kind": "deposit", "amount": "50.00", "balance": "50.00", "reference": None},
        ],
        "next": None,
    }
    assert first.endswith("Z")


def test_the_statement_of_a_new_account_is_empty(http: httpx.Client) -> None:
    opened = http.post("/accounts", json={"owner_id": "ada", "currency": "EUR"})
    path = f"/accounts/{opened.json()['id']}/statement"
    assert read(http, path, opened) == {"entries": [], "next": None}


def test_a_long_statement_is_read_in_parts_without_gaps(http: httpx.Client) -> None:
    account_id = new_account(http)
    path = f"/accounts/{account_id}"
    deposits = [http.post(f"{path}/deposits", json={"amount": "1.00"}) for _ in range(3)]
    first = read(http, f"{path}/statement", deposits[-1], limit=2)
    second = read(http, f"{path}/statement", deposits[-1], limit=2, cursor=first["next"])
    balances = [entry["balance"] for entry in first["entries"] + second["entries"]]
    assert (balances, second["next"]) == (["3.00", "2.00", "1.00"], None)
