"""Rules of RFC 9110 and 9112 that a request is read by, on the wire."""

import json
from uuid import uuid4

import httpx
import pytest

from tests.service.http.shop import new_account, new_name, new_order
from tests.service.http.wire import ALIVE, answer, answers
from tests.support.callers import AUTHORIZATION_LINE
from tests.support.polling import poll_until
from tests.support.positions import number_of

LINE = b"GET /health/live HTTP/1.1\r\n"
CLOSE = b"Connection: close\r\n\r\n"
RECEIPT = b"POST /stock/lamp/receipts HTTP/1.1\r\nHost: a\r\n" + AUTHORIZATION_LINE


@pytest.mark.parametrize(
    "sent",
    [
        LINE + b"Host: a\r\n",
        LINE + b"Host:a:8000 \t\r\n",
        LINE + b"Host: \t [::1]:8000\r\n",
        LINE + b"Host:\r\n",
        b"GET http://shop.example/health/live HTTP/1.1\r\nHost: shop.example\r\n",
        b"GET HTTPS://[::1]:8000/health/live HTTP/1.1\r\nHost: a\r\n",
        b"GET /health%2Flive HTTP/1.1\r\nHost: a\r\n",
        b"GET /health/live HTTP/1.0\r\n",
        b"\r\n\r\n" + LINE + b"Host: a\r\n",
    ],
)
def test_a_host_that_is_named_once_is_answered(api: str, sent: bytes) -> None:
    assert answer(api, sent + CLOSE).body == ALIVE


@pytest.mark.parametrize(
    ("hosts", "reason"),
    [
        (b"", "has to name its host, once"),
        (b"Host: a\r\nHost: a\r\n", "has to name its host, once"),
        (b"Host: a, b\r\n", "names a host that can't be one"),
        (b"Host: a/b\r\n", "names a host that can't be one"),
        (b"Host: \xe4\r\n", "names a host that can't be one"),
    ],
)
def test_a_host_that_is_missing_repeated_or_none_is_refused(api: str, hosts: bytes, reason: str) -> None:
    refused = answer(api, LINE + hosts + CLOSE)
    assert (refused.status, refused.rule, refused.json["detail"]) == (400, "bad-request", f"The request {reason}.")


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/1.2", b"HTTP/0.9", b"HTTP/3.0", b"HTTP/9.9"])
def test_another_version_of_http_is_refused(api: str, version: bytes) -> None:
    refused = answer(api, b"GET /health/live " + version + b"\r\nHost: a\r\n\r\n")
    assert (refused.status, refused.headers["connection"]) == (505, "close")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json == {
        "type": "urn:foldstream:problem:unsupported-http-version",
        "title": "Unsupported http version",
        "status": 505,
        "detail": "HTTP is spoken here in the versions 1.0 and 1.1.",
        "instance": "/health/live",
        "rule": "unsupported-http-version",
    }


@pytest.mark.parametrize("sent", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /\r\n\r\n"])
def test_the_beginning_of_http_2_and_a_request_without_a_version_are_refused(api: str, sent: bytes) -> None:
    refused = answer(api, sent)
    assert (refused.status, refused.rule) == (505, "unsupported-http-version")


@pytest.mark.parametrize("path", [b"/health/live", b"/docs", b"/metrics", b"/nowhere"])
@pytest.mark.parametrize("wish", [b"", b"Connection: keep-alive\r\n"])
def test_an_answer_in_http_1_0_is_whole_and_ends_the_connection(api: str, path: bytes, wish: bytes) -> None:
    """Its length is told, and nothing comes in chunks, which HTTP/1.0 does not know."""
    answered = answer(api, b"GET " + path + b" HTTP/1.0\r\n" + wish + b"\r\n")
    assert answered.headers["connection"] == "close"
    assert "transfer-encoding" not in answered.headers
    assert len(answered.body) == int(answered.headers["content-length"]) > 0


def test_a_client_of_http_1_0_is_not_told_to_continue(api: str) -> None:
    """What it waits for is the answer; it does not know that there are others (RFC 9110, 10.1.1)."""
    form = b"Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"
    assert answer(api, b"POST /orders HTTP/1.0\r\n" + AUTHORIZATION_LINE + form).status == 422
    later = answers(api, b"POST /orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + AUTHORIZATION_LINE + form)
    assert [each.status for each in later] == [100, 422]


def test_a_transfer_encoding_in_http_1_0_is_refused(api: str) -> None:
    refused = answer(api, b"POST /orders HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    detail = "The request has a Transfer-Encoding, which HTTP/1.0 does not know."
    assert (refused.status, refused.rule, refused.json["detail"]) == (400, "bad-request", detail)


METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


@pytest.mark.parametrize(
    "line",
    [
        b"BREW /stock/lamp",
        b"get /stock/lamp",
        b"GETX /stock/lamp",
        b"PROPFIND /stock/lamp",
        b"CONNECT /stock/lamp",
        b"CONNECT shop.example:443",
        b"BREW /nowhere",
        b"\r\nBREW /stock/lamp",
    ],
)
def test_a_method_that_no_path_has_is_refused(api: str, line: bytes) -> None:
    refused = answer(api, line + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (refused.status, refused.rule, refused.headers["connection"]) == (501, "unknown-method", "close")
    assert refused.json["detail"] == f"These methods are known here, in capitals: {METHODS}."


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_a_method_that_only_other_paths_have_is_not_allowed(http: httpx.Client, method: str) -> None:
    refused = http.request(method, "/stock/lamp")
    assert (refused.status_code, refused.json()["rule"]) == (405, "method-not-allowed")


def test_the_refusal_of_a_head_has_no_body(api: str) -> None:
    [refused] = answers(api, b"HEAD /health/live HTTP/1.1\r\n" + CLOSE, head=True)
    assert (refused.status, refused.headers["content-type"]) == (400, "application/problem+json")
    assert int(refused.headers["content-length"]) > 0


def test_white_space_around_a_header_s_value_is_not_part_of_it(api: str) -> None:
    named = "0b7a3c9e-32a1-4c5e-8f65-3a9f6f1f2d01"
    head = LINE + b"Host: a\r\nFoldstream-Correlation-Id: \t " + named.encode() + b" \t\r\n"
    assert answer(api, head + CLOSE).headers["foldstream-correlation-id"] == named


def test_white_space_around_the_type_and_the_key_of_a_command_is_not_part_of_them(api: str) -> None:
    body = b'{"quantity": 0}'
    head = RECEIPT + b"Content-Type: application/json \r\nIdempotency-Key:  k \t\r\nContent-Length: 15 \r\n"
    assert answer(api, head + CLOSE + body).json["errors"] == [
        {"pointer": "/quantity", "reason": "should be greater than or equal to 1"}
    ]


def test_a_body_that_is_encoded_for_its_transfer_is_refused(api: str) -> None:
    head = RECEIPT + b"Content-Type: application/json\r\nTransfer-Encoding: gzip, chunked\r\n"
    refused = answer(api, head + CLOSE + b'f\r\n{"quantity": 1}\r\n0\r\n\r\n')
    detail = "A body is read as it is, not in the encoding gzip."
    assert (refused.status, refused.rule, refused.json["detail"]) == (415, "unknown-encoding", detail)


@pytest.mark.parametrize(
    "body", [b"Content-Length: 15\r\n\r\n%b", b"Transfer-Encoding: chunked\r\n\r\nf\r\n%b\r\n0\r\n\r\n"]
)
def test_a_wish_for_another_protocol_is_passed_over(api: str, body: bytes) -> None:
    """Some clients wish for HTTP/2 with every request; the body is still the request's, and another may follow."""
    wish = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n"
    sent = RECEIPT + wish + body % b'{"quantity": 0}'
    refused, alive = answers(api, sent + LINE + wish + b"Host: a\r\n\r\n" + LINE + b"Host: a\r\n" + CLOSE)[::2]
    assert json.loads(refused.body)["errors"] == [
        {"pointer": "/quantity", "reason": "should be greater than or equal to 1"}
    ]
    assert alive.body == ALIVE


@pytest.mark.parametrize("path", ["/health/live", "/openapi.json", "/nowhere", "/orders/x", "/history/stock:none"])
def test_head_is_what_get_is_without_its_body(api: str, path: str) -> None:
    rest = f" {path} HTTP/1.1\r\nHost: a\r\n".encode() + CLOSE
    got = answer(api, b"GET" + rest)
    [head] = answers(api, b"HEAD" + rest, head=True)
    assert head.status == got.status
    assert head.headers["content-length"] == str(len(got.body))
    assert head.headers["content-type"] == got.headers["content-type"]


def test_head_is_counted_by_its_route(http: httpx.Client) -> None:
    assert http.head("/health/live").status_code == 200
    series = 'foldstream_http_requests_total{method="HEAD",route="/health/live",status="200"}'
    assert series in http.get("/metrics").text


@pytest.mark.parametrize("condition", ['"0"', 'W/"0"', "*", '"7", "0"', 'W/"a,b" ,W/"0"', ', ,"0" ,'])
def test_what_the_caller_has_already_is_not_sent_again(http: httpx.Client, condition: str) -> None:
    path = f"/accounts/{new_account(http)}"
    got = read_answer(http, path)
    for method in ("GET", "HEAD"):
        answered = http.request(method, path, headers={"If-None-Match": condition})
        assert (answered.status_code, answered.content) == (304, b"")
        assert answered.headers["ETag"] == got.headers["ETag"] == '"0"'
        assert number_of(answered.headers["Foldstream-Position"]) >= number_of(got.headers["Foldstream-Position"])
        assert "Content-Type" not in answered.headers


def test_the_tags_may_stand_on_several_lines(http: httpx.Client) -> None:
    path = f"/accounts/{new_account(http)}"
    read_answer(http, path)
    lines = [("If-None-Match", '"7"'), ("If-None-Match", '"0"')]
    assert http.get(path, headers=lines).status_code == 304


@pytest.mark.parametrize(
    "condition",
    ['"1"', "0", "", '"', 'w/"1"', "**", 'w/"0"', '"1" "0"', '"1"x"0"', '*, "0"', "*, *", '"0", x', '" ", "0"'],
)
def test_what_the_caller_has_not_is_sent(http: httpx.Client, condition: str) -> None:
    path = f"/accounts/{new_account(http)}"
    got = read_answer(http, path)
    answered = http.get(path, headers={"If-None-Match": condition})
    assert (answered.status_code, answered.json()) == (200, got.json())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_any_answer_is_what_a_star_stands_for(http: httpx.Client, method: str) -> None:
    """Also one without an ETag (RFC 9110, 13.1.2): a list, what the log holds, a document."""
    owner = new_name("ada")
    account_id = new_account(http, owner_id=owner)
    paths = [f"/customers/{owner}/orders", f"/history/account-{account_id}", f"/history/account-{account_id}/changes"]
    read_answer(http, f"/accounts/{account_id}")
    for path in (*paths, f"/accounts/{account_id}/statement", "/openapi.json", "/docs", "/", "/health/live"):
        assert http.get(path).status_code == 200
        answered = http.request(method, path, headers={"If-None-Match": "*"})
        assert (answered.status_code, answered.content) == (304, b"")


def test_a_refusal_is_never_unchanged(http: httpx.Client) -> None:
    assert http.get(f"/accounts/{uuid4()}", headers={"If-None-Match": "*"}).status_code == 404


def test_a_command_has_no_such_condition(http: httpx.Client) -> None:
    answered = http.post(f"/orders/{new_order(http)}/confirm", headers={"If-None-Match": "*"})
    assert answered.status_code == 200


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/stock/lamp", "GET, HEAD, OPTIONS"),
        ("/orders", "GET, HEAD, POST, OPTIONS"),
        ("/orders/x/items/1", "DELETE, OPTIONS"),
        ("/history/trace/x", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_says_what_a_path_allows(http: httpx.Client, path: str, allowed: str) -> None:
    answered = http.options(path)
    assert (answered.status_code, answered.content, answered.headers["Allow"]) == (204, b"", allowed)


def test_options_for_a_path_that_is_none(http: httpx.Client) -> None:
    assert http.options("/nowhere").json()["rule"] == "unknown-path"


@pytest.mark.parametrize("target", [b"http://a", b"http://a?", b"http://a/"])
def test_a_target_without_a_path_is_the_root(api: str, target: bytes) -> None:
    welcome = answer(api, b"GET / HTTP/1.1\r\nHost: a\r\n" + CLOSE)
    assert answer(api, b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n" + CLOSE).json == welcome.json


@pytest.mark.parametrize("target", [b"*", b"http://a"])
def test_options_for_the_whole_service(api: str, target: bytes) -> None:
    answered = answer(api, b"OPTIONS " + target + b" HTTP/1.1\r\nHost: a\r\n" + CLOSE)
    assert (answered.status, answered.headers["allow"]) == (204, METHODS)


def read_answer(http: httpx.Client, path: str) -> httpx.Response:
    """The answer, once the read model has come that far."""
    answered = [http.get(path)]

    def is_there() -> bool:
        answered.append(http.get(path))
        return answered[-1].status_code == 200

    poll_until(is_there, seconds=10, what=path)
    return answered[-1]
