"""Whatever bytes are sent, the answer is one that was thought of; Schemathesis tries what JSON may say."""

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service.http.faults import JSON

EXPECTED = {200, 201, 404, 405, 409, 412, 413, 415, 422}
UUID = "00000000-0000-4000-8000-000000000000"
COMMANDS = (
    "/orders",
    f"/orders/{UUID}/items",
    f"/orders/{UUID}/confirm",
    f"/orders/{UUID}/cancel",
    "/stock/anything/receipts",
    "/stock/anything/damages",
    "/accounts",
    f"/accounts/{UUID}/deposits",
    "/trips",
    f"/trips/{UUID}/cancel",
    f"/sagas/fulfilment/{UUID}/pause",
    f"/sagas/fulfilment/{UUID}/skip",
    f"/sagas/fulfilment/{UUID}/signals/word",
)
VISIBLE = [byte for byte in range(32, 256) if byte != 127]
METHODS = st.sampled_from(["GET", "POST", "DELETE", "PUT"])
patiently = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


@patiently
@given(path=st.sampled_from(COMMANDS), body=st.binary(max_size=200))
def test_any_bytes_as_a_body(http: httpx.Client, path: str, body: bytes) -> None:
    assert http.post(path, content=body, headers=JSON).status_code in EXPECTED


@patiently
@given(method=METHODS, path=st.binary(max_size=40), query=st.binary(max_size=40))
def test_any_bytes_as_a_path_and_a_query(http: httpx.Client, method: str, path: bytes, query: bytes) -> None:
    target = b"/orders/" + _escaped(path) + b"?" + _escaped(query)
    assert http.request(method, httpx.URL(http.base_url, raw_path=target)).status_code in EXPECTED


@patiently
@given(
    kind=st.sampled_from(["", "/as-of", "/changes"]),
    path=st.sampled_from([b"account-0", b"stock:lamp", b"order-"]) | st.binary(max_size=40),
    name=st.sampled_from(["at", "version", "from", "to", "limit", "cursor"]),
    value=st.text("0123456789-:.TZ+e", max_size=25) | st.datetimes().map(lambda at: f"{at.isoformat()}Z"),
)
def test_any_look_back(http: httpx.Client, kind: str, path: bytes, name: str, value: str) -> None:
    target = b"/history/" + _escaped(path) + f"{kind}?{name}=".encode() + _escaped(value.encode())
    assert http.get(httpx.URL(http.base_url, raw_path=target)).status_code in EXPECTED


@patiently
@given(
    name=st.sampled_from(["Idempotency-Key", "If-Match", "Foldstream-Correlation-Id", "Content-Type"]),
    value=st.lists(st.sampled_from(VISIBLE), max_size=140).map(bytes),  # others make no HTTP at all
)
def test_any_bytes_as_a_header(http: httpx.Client, name: str, value: bytes) -> None:
    headers = [(name.encode(), value.strip()), (b"Content-Length", b"0")]
    assert http.post(f"/orders/{UUID}/confirm", headers=headers).status_code in EXPECTED


def _escaped(text: bytes) -> bytes:
    return b"".join(b"%%%02X" % byte for byte in text)
