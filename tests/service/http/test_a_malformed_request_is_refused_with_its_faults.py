"""Paths, parameters and headers that are refused before anything is looked up; bodies that are too large."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.service.http.faults import JSON, NO_LIMIT, NO_TOKEN, NOT_NAME, NOT_UUID, TWICE, UNKNOWN
from tests.service.http.shop import assert_malformed, assert_refused, new_order, order_form

LARGEST = 1024 * 1024
NO_KEY = "should be 1 to 128 visible ASCII characters, none of them a space; quotes may stand around them"
NO_VERSION = 'should be one version in quotes, such as "3", of up to 19 digits and without leading zeros'


@pytest.mark.parametrize(
    "order_id", ["x", "0" * 32, "00000000-0000-0000-0000-00000000000g", f"urn:uuid:{uuid4()}", f"{uuid4()}%0A", "%00"]
)
def test_an_order_id_that_is_no_uuid(http: httpx.Client, order_id: str) -> None:
    for answer in (http.get(f"/orders/{order_id}"), http.post(f"/orders/{order_id}/confirm")):
        assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": "{order_id}", "reason": NOT_UUID}])


@pytest.mark.parametrize("name", ["a%20b", "%C3%A4", "a" * 65, "a%00", "%F0%9F%9A%B2", "a%5C", "%FF"])
def test_a_name_that_can_t_be_one(http: httpx.Client, name: str) -> None:
    for path, pointer in ((f"/stock/{name}", "{sku}"), (f"/customers/{name}/orders", "{customer_id}")):
        answer = http.get(path)
        assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": pointer, "reason": NOT_NAME}])


@pytest.mark.parametrize("line", ["0", "-1", "01", "1.0", "one", "1" * 19, "%D9%A1"])
def test_a_line_that_can_t_be_one(http: httpx.Client, line: str) -> None:
    answer = http.delete(f"/orders/{new_order(http)}/items/{line}")
    errors = [{"pointer": "{line}", "reason": "should be a whole number from 1 on"}]
    assert (answer.status_code, answer.json()["errors"]) == (422, errors)


@pytest.mark.parametrize(
    ("parameters", "pointer", "reason"),
    [
        ("limit=0", "?limit", NO_LIMIT),
        ("limit=101", "?limit", NO_LIMIT),
        ("limit=0001000", "?limit", NO_LIMIT),
        ("limit=00010000000", "?limit", NO_LIMIT),
        ("limit=020", "?limit", NO_LIMIT),
        ("limit=", "?limit", NO_LIMIT),
        ("limit=1.0", "?limit", NO_LIMIT),
        ("limit=%2B5", "?limit", NO_LIMIT),
        ("limit=%C2%B2", "?limit", NO_LIMIT),
        ("limit=" + "9" * 5000, "?limit", NO_LIMIT),
        ("cursor=", "?cursor", NO_TOKEN),
        ("cursor=abc", "?cursor", NO_TOKEN),
        ("cursor=-1", "?cursor", NO_TOKEN),
        ("cursor=" + "9" * 20, "?cursor", NO_TOKEN),
        ("status=lost", "?status", "should be 'pending', 'confirmed', 'shipped' or 'cancelled'"),
        ("status=", "?status", "should be 'pending', 'confirmed', 'shipped' or 'cancelled'"),
        ("at_least=", "?at_least", NO_TOKEN),
        ("at_least=1.5", "?at_least", NO_TOKEN),
        ("at_least=007", "?at_least", NO_TOKEN),
        ("at_least=18446744073709551616", "?at_least", NO_TOKEN),
        ("at_least=1.5.0123abcd", "?at_least", NO_TOKEN),
        ("at_least=2.5.0123abcd.0123abcd", "?at_least", NO_TOKEN),
        ("at_least=1.05.0123abcd.0123abcd", "?at_least", NO_TOKEN),
        ("at_least=1.5.0123ABCD.0123abcd", "?at_least", NO_TOKEN),
        ("at_least=1.5.0123abcd.0123abc", "?at_least", NO_TOKEN),
        ("at_least=1.5.0123abcd.0123abcd%0A", "?at_least", NO_TOKEN),
        ("at_least=1.18446744073709551616.0123abcd.0123abcd", "?at_least", NO_TOKEN),
        ("cursor=1.5.0123abcd.0123abcd", "?cursor", NO_TOKEN),
        ("wait=31", "?wait", "should be a number of seconds from 0 to 30"),
        ("wait=-0.1", "?wait", "should be a number of seconds from 0 to 30"),
        ("wait=nan", "?wait", "should be a number of seconds from 0 to 30"),
        ("wait=inf", "?wait", "should be a number of seconds from 0 to 30"),
        ("wait=soon", "?wait", "should be a number of seconds from 0 to 30"),
        ("wait=1_0", "?wait", "should be a number of seconds from 0 to 30"),
        ("wait=%205", "?wait", "should be a number of seconds from 0 to 30"),
        ("wait=05", "?wait", "should be a number of seconds from 0 to 30"),
        ("wait=1e1", "?wait", "should be a number of seconds from 0 to 30"),
        ("wait=1.", "?wait", "should be a number of seconds from 0 to 30"),
        ("wait=-0", "?wait", "should be a number of seconds from 0 to 30"),
        ("page=2", "?page", UNKNOWN),
        ("%FF=1", "?\ufffd", UNKNOWN),
        ("limit=1&limit=1", "?limit", TWICE),
        ("x=1&x=2", "?x", TWICE),
    ],
)
def test_a_parameter_that_is_not_well_formed(http: httpx.Client, parameters: str, pointer: str, reason: str) -> None:
    assert_malformed(http.get(f"/customers/ada/orders?{parameters}"), (pointer, reason))


def test_commands_take_no_parameters(http: httpx.Client) -> None:
    assert_malformed(http.post("/orders?dry_run=1", json=order_form()), ("?dry_run", UNKNOWN))


@pytest.mark.parametrize("path", ["/", "/docs", "/health/live", "/health/ready", "/metrics", "/openapi.json"])
def test_nor_do_pages_about_the_service(http: httpx.Client, path: str) -> None:
    assert_malformed(http.get(f"{path}?verbose=1"), ("?verbose", UNKNOWN))


@pytest.mark.parametrize("key", ["", '""', "a b", "a\tb", "ä", "x" * 129, '"' + "x" * 129 + '"', '"a b"'])
def test_a_key_that_can_t_be_one(http: httpx.Client, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode()}
    assert_malformed(http.post("/orders", json=order_form(), headers=headers), ("Idempotency-Key", NO_KEY))


@pytest.mark.parametrize(
    "version", ["0", '""', '"-1"', '"01"', '"1', '"1","2"', 'W/"1"', "*", '"one"', '"' + "9" * 20 + '"', ""]
)
def test_a_version_that_can_t_be_one(http: httpx.Client, version: str) -> None:
    answer = http.post(f"/orders/{uuid4()}/confirm", headers={"If-Match": version})
    assert_malformed(answer, ("If-Match", NO_VERSION))


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [("Idempotency-Key", "k", "k"), ("Idempotency-Key", "k", '"k"'), ("If-Match", '"0"', '"0"')],
)
def test_a_header_that_stands_there_twice(http: httpx.Client, name: str, first: str, second: str) -> None:
    answer = http.post(f"/orders/{uuid4()}/confirm", headers=[(name, first), (name, second)])
    assert_malformed(answer, (name, TWICE))


def test_a_body_of_a_mebibyte_is_read(http: httpx.Client) -> None:
    body = b'{"quantity": 0' + b" " * (LARGEST - 15) + b"}"
    answer = http.post("/stock/lamp/receipts", content=body, headers=JSON)
    assert_malformed(answer, ("/quantity", "should be greater than or equal to 1"))


@pytest.mark.parametrize("size", [LARGEST + 1, 8 * LARGEST])
def test_a_larger_body_is_refused(http: httpx.Client, size: int) -> None:
    answer = http.post("/stock/lamp/receipts", content=b" " * size, headers=JSON)
    assert_refused(answer, 413, "too-large", f"A body may have {LARGEST} bytes.")


@pytest.mark.parametrize("chunks", [17, 64])
def test_a_larger_body_whose_length_is_not_announced_is_refused(http: httpx.Client, chunks: int) -> None:
    def body() -> Iterator[bytes]:
        for _ in range(chunks):
            yield b" " * 65536

    answer = http.post("/stock/lamp/receipts", content=body(), headers=JSON)
    assert_refused(answer, 413, "too-large", f"A body may have {LARGEST} bytes.")


@pytest.mark.parametrize(
    "path", ["/orders/", "/nowhere", "/orders/x/y/z", "/stock/a%2Fb", "/redoc", "/docs/", "//orders"]
)
def test_a_path_that_is_none(http: httpx.Client, path: str) -> None:
    answer = http.get(httpx.URL(http.base_url, raw_path=path.encode()))
    assert (answer.status_code, answer.json()["rule"]) == (404, "unknown-path")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/orders", "GET, HEAD, POST, OPTIONS"),
        ("PUT", f"/orders/{uuid4()}", "GET, HEAD, OPTIONS"),
        ("PATCH", f"/accounts/{uuid4()}/deposits", "POST, OPTIONS"),
        ("POST", f"/orders/{uuid4()}/items/1", "DELETE, OPTIONS"),
        ("DELETE", "/health/live", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_method_that_a_path_does_not_have(http: httpx.Client, method: str, path: str, allowed: str) -> None:
    answer = http.request(method, path)
    assert_refused(answer, 405, "method-not-allowed", f"{path} has no {method}.")
    assert answer.headers["Allow"] == allowed


def test_the_form_comes_before_what_exists(http: httpx.Client) -> None:
    answer = http.post(f"/accounts/{uuid4()}/deposits", json={"amount": "0.00"})
    assert_malformed(answer, ("/amount", "should be more than zero"))
