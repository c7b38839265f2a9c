"""Bodies that are refused before anything is looked up, each with what is wrong and where."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.service.http.faults import JSON, NOT_NAME, NOT_UUID, UNKNOWN
from tests.service.http.shop import LAMP, assert_malformed, assert_refused, new_account, new_order, order_form

NOT_DIGITS = "should be 1 to 12 digits, with two decimals or none, such as 12 or 12.50"
NOT_JSON = "is not JSON as it is accepted here: "
NOT_TEXT = "should be a valid string"
NOT_WHOLE = "should be a valid integer"
MISSING = "is missing"


@pytest.mark.parametrize(
    ("members", "pointer", "reason"),
    [
        ({"id": "x"}, "/id", NOT_UUID),
        ({"id": None}, "/id", NOT_TEXT),
        ({"id": "0" * 32}, "/id", NOT_UUID),
        ({"id": f"{{{uuid4()}}}"}, "/id", NOT_UUID),
        ({"id": f"{uuid4()}\n"}, "/id", NOT_UUID),
        ({"customer_id": ""}, "/customer_id", NOT_NAME),
        ({"customer_id": "a" * 65}, "/customer_id", NOT_NAME),
        ({"customer_id": "ada lovelace"}, "/customer_id", NOT_NAME),
        ({"customer_id": "ädä"}, "/customer_id", NOT_NAME),
        ({"customer_id": 7}, "/customer_id", NOT_TEXT),
        ({"account_id": str(uuid4()) + "0"}, "/account_id", NOT_UUID),
        ({"currency": "CHF"}, "/currency", "should be 'EUR', 'USD', 'GBP' or 'JPY'"),
        ({"currency": "eur"}, "/currency", "should be 'EUR', 'USD', 'GBP' or 'JPY'"),
        ({"currency": ["EUR"]}, "/currency", "should be 'EUR', 'USD', 'GBP' or 'JPY'"),
        ({"items": []}, "/items", "should have at least 1 item after validation, not 0"),
        ({"items": [LAMP] * 101}, "/items", "should have at most 100 items after validation, not 101"),
        ({"items": {}}, "/items", "should be a valid list"),
        ({"items": ["lamp"]}, "/items/0", "should be a valid dictionary or object to extract fields from"),
        ({"colour": "red"}, "/colour", UNKNOWN),
        ({"a/b~c": 1}, "/a~1b~0c", UNKNOWN),
    ],
)
def test_an_order_that_is_not_well_formed(
    http: httpx.Client, members: dict[str, Any], pointer: str, reason: str
) -> None:
    assert_malformed(http.post("/orders", json=order_form(**members)), (pointer, reason))


@pytest.mark.parametrize(
    ("members", "pointer", "reason"),
    [
        ({"quantity": 0}, "/quantity", "should be greater than or equal to 1"),
        ({"quantity": -1}, "/quantity", "should be greater than or equal to 1"),
        ({"quantity": 1_000_001}, "/quantity", "should be less than or equal to 1000000"),
        ({"quantity": 10**400}, "/quantity", "should be less than or equal to 1000000"),
        ({"quantity": 1.0}, "/quantity", NOT_WHOLE),
        ({"quantity": "1"}, "/quantity", NOT_WHOLE),
        ({"quantity": True}, "/quantity", NOT_WHOLE),
        ({"quantity": None}, "/quantity", NOT_WHOLE),
        ({"unit_price": 19.90}, "/unit_price", NOT_TEXT),
        ({"unit_price": 19}, "/unit_price", NOT_TEXT),
        ({"unit_price": "1.999"}, "/unit_price", NOT_DIGITS),
        ({"unit_price": "1.9"}, "/unit_price", NOT_DIGITS),
        ({"unit_price": "1."}, "/unit_price", NOT_DIGITS),
        ({"unit_price": ".99"}, "/unit_price", NOT_DIGITS),
        ({"unit_price": ""}, "/unit_price", NOT_DIGITS),
        ({"unit_price": "NaN"}, "/unit_price", NOT_DIGITS),
        ({"unit_price": "Infinity"}, "/unit_price", NOT_DIGITS),
        ({"unit_price": "1e3"}, "/unit_price", NOT_DIGITS),
        ({"unit_price": "+1.00"}, "/unit_price", NOT_DIGITS),
        ({"unit_price": "-0.01"}, "/unit_price", NOT_DIGITS),
        ({"unit_price": " 1.00"}, "/unit_price", NOT_DIGITS),
        ({"unit_price": "1.00\n"}, "/unit_price", NOT_DIGITS),
        ({"unit_price": "1,00"}, "/unit_price", NOT_DIGITS),
        ({"unit_price": "1_000.00"}, "/unit_price", NOT_DIGITS),
        ({"unit_price": "\u0661.\u0660\u0660"}, "/unit_price", NOT_DIGITS),
        ({"unit_price": "1234567890123.00"}, "/unit_price", NOT_DIGITS),
        ({"unit_price": "5"}, "/unit_price", "EUR has 2 decimals, not those of 5"),
        ({"sku": "a b"}, "/sku", NOT_NAME),
        ({"sku": "a/b"}, "/sku", NOT_NAME),
        ({"line": 1}, "/line", UNKNOWN),
    ],
)
def test_an_item_that_is_not_well_formed(
    http: httpx.Client, members: dict[str, Any], pointer: str, reason: str
) -> None:
    form = order_form(items=[LAMP, {**LAMP, **members}])
    assert_malformed(http.post("/orders", json=form), (f"/items/1{pointer}", reason))


def test_of_very_many_faults_a_hundred_are_said(http: httpx.Client) -> None:
    body = {f"m{number}": 0 for number in range(50_000)}
    errors = http.post("/stock/lamp/receipts", json=body).json()["errors"]
    assert errors == [
        {"pointer": "/quantity", "reason": MISSING},
        *({"pointer": f"/m{number}", "reason": UNKNOWN} for number in range(99)),
    ]


def test_a_price_that_the_currency_can_t_express(http: httpx.Client) -> None:
    form = order_form(currency="JPY", items=[{**LAMP, "unit_price": "1990"}, LAMP])
    assert_malformed(http.post("/orders", json=form), ("/items/1/unit_price", "JPY has 0 decimals, not those of 19.90"))


def test_everything_that_is_wrong_is_said_at_once(http: httpx.Client) -> None:
    assert_malformed(
        http.post("/orders", json={"currency": "EUR", "items": [{}]}),
        ("/customer_id", MISSING),
        ("/account_id", MISSING),
        ("/items/0/sku", MISSING),
        ("/items/0/quantity", MISSING),
        ("/items/0/unit_price", MISSING),
    )


@pytest.mark.parametrize(
    ("members", "pointer", "reason"),
    [
        ({"owner_id": "a b"}, "/owner_id", NOT_NAME),
        ({"credit_limit": "-1.00"}, "/credit_limit", NOT_DIGITS),
        ({"credit_limit": None}, "/credit_limit", NOT_TEXT),
        ({"credit_limit": "10"}, "/credit_limit", "EUR has 2 decimals, not those of 10"),
        ({"balance": "1.00"}, "/balance", UNKNOWN),
    ],
)
def test_an_account_that_is_not_well_formed(
    http: httpx.Client, members: dict[str, Any], pointer: str, reason: str
) -> None:
    form = {"owner_id": "ada", "currency": "EUR", **members}
    assert_malformed(http.post("/accounts", json=form), (pointer, reason))


@pytest.mark.parametrize("command", ["deposits", "withdrawals"])
@pytest.mark.parametrize(
    ("body", "pointer", "reason"),
    [
        ({"amount": "0.00"}, "/amount", "should be more than zero"),
        ({"amount": 1}, "/amount", NOT_TEXT),
        ({"amount": "1.00", "currency": "EUR"}, "/currency", UNKNOWN),
        ({}, "/amount", MISSING),
    ],
)
def test_an_amount_that_is_not_well_formed(
    http: httpx.Client, command: str, body: dict[str, Any], pointer: str, reason: str
) -> None:
    assert_malformed(http.post(f"/accounts/{new_account(http)}/{command}", json=body), (pointer, reason))


@pytest.mark.parametrize(
    ("body", "pointer", "reason"),
    [
        ({"reason": ""}, "/reason", "should have at least 1 character"),
        ({"reason": "x" * 201}, "/reason", "should have at most 200 characters"),
        ({"reason": None}, "/reason", NOT_TEXT),
        ({"because": "x"}, "/because", UNKNOWN),
    ],
)
def test_a_reason_that_is_not_well_formed(http: httpx.Client, body: dict[str, Any], pointer: str, reason: str) -> None:
    assert_malformed(http.post(f"/orders/{new_order(http)}/cancel", json=body), (pointer, reason))


@pytest.mark.parametrize(("method", "path"), [("POST", "confirm"), ("DELETE", "items/1")])
def test_a_command_that_takes_no_body_refuses_members(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, f"/orders/{new_order(http)}/{path}", json={"now": True})
    assert_malformed(answer, ("/now", UNKNOWN))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", MISSING),
        (
            b"{",
            NOT_JSON + "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        (b"{} {}", NOT_JSON + "Extra data: line 1 column 4 (char 3)"),
        (
            b'\xef\xbb\xbf{"quantity": 1}',
            NOT_JSON + "Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)",
        ),
        (b'{"quantity": NaN}', NOT_JSON + "NaN is no JSON"),
        (b'{"quantity": ' + 5000 * b"9" + b"}", NOT_JSON + "an integer has 5000 digits"),
        (b'{"quantity": -Infinity}', NOT_JSON + "-Infinity is no JSON"),
        (b'{"quantity": 1, "quantity": 1}', NOT_JSON + "a member stands in an object twice"),
        (b'{"a": {"b": 1, "\\u0062": 2}}', NOT_JSON + "a member stands in an object twice"),
        (
            b'{"quantity": "\\ud800"}',
            NOT_JSON + "a text holds NUL or half of a surrogate pair",
        ),
        (b'{"\\udfff": 1}', NOT_JSON + "a text holds NUL or half of a surrogate pair"),
        (b'{"a": [["\\u0000"]]}', NOT_JSON + "a text holds NUL or half of a surrogate pair"),
        (b'{"quantity": "\xff"}', "is not UTF-8"),
        ('{"quantity": 1}'.encode("utf-16"), "is not UTF-8"),
        (b"[" * 200_000, "is nested too deeply"),
        (b'{"a":' * 100_000, "is nested too deeply"),
        (b"[1]", "is not an object"),
        (b"null", "is not an object"),
        (b'"quantity"', "is not an object"),
        (b"1", "is not an object"),
    ],
    ids=range(20),
)
def test_a_body_that_is_not_accepted_as_json(http: httpx.Client, body: bytes, reason: str) -> None:
    assert_malformed(http.post("/stock/lamp/receipts", content=body, headers=JSON), ("", reason))


def test_a_number_of_five_thousand_digits(http: httpx.Client) -> None:
    body = b'{"quantity": ' + b"1" * 5000 + b"}"
    answer = http.post("/stock/lamp/receipts", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["rule"]) == (422, "malformed")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/problem+json",
        "text/json",
        "application/jsonp",
        "json",
    ],
)
def test_a_body_of_another_type(http: httpx.Client, content_type: str) -> None:
    answer = http.post("/stock/lamp/receipts", content=b'{"quantity": 1}', headers={"Content-Type": content_type})
    assert_refused(answer, 415, "not-json", f"A body has the content type application/json, not {content_type}.")


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "us-ascii", "UTF-8-sig", "x" * 5000])
def test_a_body_in_another_character_set(http: httpx.Client, charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}
    answer = http.post("/stock/lamp/receipts", content=b'{"quantity": 1}', headers=headers)
    told = charset.lower() if len(charset) < 200 else "x" * 200 + "…"
    assert_refused(answer, 415, "not-json", f"JSON is read in UTF-8, not in {told}.")


@pytest.mark.parametrize("charset", ["", '""'])
def test_a_body_in_a_character_set_without_a_name(http: httpx.Client, charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}
    answer = http.post("/stock/lamp/receipts", content=b'{"quantity": 1}', headers=headers)
    assert_refused(answer, 415, "not-json", "JSON is read in UTF-8, not in a charset without a name.")


@pytest.mark.parametrize(
    ("encodings", "named"), [(["gzip"], "gzip"), (["identity, br"], "br"), (["Identity", "x-" + "y" * 300], None)]
)
def test_a_body_in_an_encoding(http: httpx.Client, encodings: list[str], named: str | None) -> None:
    headers = [("Content-Type", "application/json"), *(("Content-Encoding", encoding) for encoding in encodings)]
    answer = http.post("/stock/lamp/receipts", content=b'{"quantity": 1}', headers=headers)
    told = named or "x-" + "y" * 198 + "…"
    assert_refused(answer, 415, "unknown-encoding", f"A body is read as it is, not in the encoding {told}.")
    assert answer.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("headers", [{}, {"Content-Type": ""}, {"Content-Encoding": "identity"}])
def test_a_body_without_a_type_is_looked_at_as_it_is(http: httpx.Client, headers: dict[str, str]) -> None:
    order_id = new_order(http)
    assert http.post(f"/orders/{order_id}/confirm", content=b"{}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/json; charset=csUTF8",
        "application/json;charset=utf8;x=y",
        "application/json;x=y",
    ],
)
def test_the_type_may_be_written_in_other_ways(http: httpx.Client, content_type: str) -> None:
    order_id = new_order(http)
    body = json.dumps({"reason": "too dear"}).encode()
    answer = http.post(f"/orders/{order_id}/cancel", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 200
