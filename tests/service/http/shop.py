"""What tests of the HTTP API say all the time: goods to order, accounts to charge, and how an answer is told."""

from typing import Any, Final
from uuid import uuid4

import httpx

from tests.support.positions import number_of

LAMP: Final = {"sku": "lamp", "quantity": 2, "unit_price": "19.90"}
SHADE: Final = {"sku": "shade", "quantity": 1, "unit_price": "5.00"}


def order_form(**members: Any) -> dict[str, Any]:
    """The body of a request for an order of two lamps by a customer of its own."""
    form = {"customer_id": new_name("ada"), "account_id": str(uuid4()), "currency": "EUR", "items": [LAMP]}
    return {**form, **members}


def new_name(beginning: str) -> str:
    """A customer's id or a SKU that no other test uses."""
    return f"{beginning}-{uuid4().hex[:12]}"


def new_order(http: httpx.Client, **members: Any) -> str:
    """The id of an order that was created just now."""
    return str(done(http.post("/orders", json=order_form(**members)))["id"])


def new_account(http: httpx.Client, balance: str | None = None, **members: Any) -> str:
    """The id of an account that was opened just now, with so much in it."""
    form = {"owner_id": "ada", "currency": "EUR", **members}
    account_id = str(done(http.post("/accounts", json=form))["id"])
    if balance is not None:
        done(http.post(f"/accounts/{account_id}/deposits", json={"amount": balance}))
    return account_id


def new_stock(http: httpx.Client, quantity: int) -> str:
    """A SKU of which so many were received just now."""
    sku = new_name("lamp")
    done(http.post(f"/stock/{sku}/receipts", json={"quantity": quantity}))
    return sku


def done(answer: httpx.Response) -> dict[str, Any]:
    """The body of an answer that says that it was done."""
    assert answer.status_code in {200, 201}, answer.text
    return dict(answer.json())


def told(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    """The status and the body, to be compared as a whole."""
    return answer.status_code, answer.json()


def assert_changed(answer: httpx.Response, status: int, key: str, version: int, **members: Any) -> None:
    """Demands that the answer tells of this change, in its body and in its headers, and of nothing else."""
    position = answer.headers["Foldstream-Position"]
    assert told(answer) == (status, {"id": key, "version": version, "position": position, **members})
    assert answer.headers["ETag"] == f'"{version}"'
    assert number_of(position) > 0


def assert_refused(answer: httpx.Response, status: int, rule: str, detail: str, **members: Any) -> None:
    """Demands that the answer is this problem, whole."""
    problem = {
        "type": f"urn:foldstream:problem:{rule}",
        "title": rule.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "instance": answer.request.url.path,
        "rule": rule,
        **members,
    }
    assert told(answer) == (status, problem)
    assert answer.headers["Content-Type"] == "application/problem+json"


def assert_malformed(answer: httpx.Response, *faults: tuple[str, str]) -> None:
    """Demands that the request is refused for these faults, each a pointer and a reason, and for no others."""
    errors = [{"pointer": pointer, "reason": reason} for pointer, reason in faults]
    detail = "; ".join(f"{pointer or 'the body'}: {reason}" for pointer, reason in faults[:3])
    assert_refused(answer, 422, "malformed", detail, errors=errors)


def read(http: httpx.Client, path: str, after: httpx.Response, **parameters: Any) -> dict[str, Any]:
    """What the read model says once it has come to where that answer left the log."""
    position = after.headers["Foldstream-Position"]
    answer = http.get(path, params={"at_least": position, "wait": 30, **parameters})
    assert answer.status_code == 200, answer.text
    assert number_of(answer.headers["Foldstream-Position"]) >= number_of(position)
    return dict(answer.json())
