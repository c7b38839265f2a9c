"""Looks back that find nothing, and those that are refused before anything is looked up."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from infrastructure.eventstore.record import NewRecord
from infrastructure.history.errors import CORRELATION_IDS
from infrastructure.history.moment import written
from infrastructure.times import time_text
from service.history.sources import BOUNDARIES
from tests.infrastructure.eventstore.operator import Operator, operating
from tests.infrastructure.history.ledger import append, opened, stored, told
from tests.service.http.faults import NO_LIMIT, NO_TOKEN, TWICE, UNKNOWN
from tests.service.http.shop import assert_malformed, assert_refused, new_account, new_stock

KINDS = ("", "/as-of?version=0", "/changes")
KNOWN = ", ".join(f"{category}-…" for category in BOUNDARIES)
NO_STREAM = "should be a category, - or :, and 1 to 64 of A-Z a-z 0-9 . _ : -, such as order-<id> or stock:mug-blue"
NO_TIME = "should be a time such as 2026-03-01T15:00:00Z or 2026-03-01T16:00:00.5+01:00"
PLUS_IN_A_URL = f"{NO_TIME}; in a URL, the + of an offset is %2B"
NO_SUCH_TIME = "should be a time that there is"
NO_VERSION = "should be a whole number from 0 on"
NO_MOST = "should be a whole number from 1 to 100000"
ONE_OF_THEM = "either this or version has to be given"
NOW = "2026-03-01T15:00:00Z"


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_is_not_there(http: httpx.Client, kind: str) -> None:
    for name in (f"order-{uuid4()}", f"fulfilment-{uuid4()}"):
        assert_refused(http.get(f"/history/{name}{kind}"), 404, "unknown-stream", f"There is no stream {name}.")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stream", ["lamp-0", "order_-0", "order:0", "snapshot-order-0"])
def test_a_stream_of_no_known_category(http: httpx.Client, stream: str, kind: str) -> None:
    detail = f"{stream} has no history here; these have one: {KNOWN}."
    assert_refused(http.get(f"/history/{stream}{kind}"), 404, "unknown-category", detail)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_was_deleted_for_good(own: tuple[Operator, httpx.Client], kind: str) -> None:
    operator, http = own
    stream, _ = told(operator, "1.00")
    operator.tombstone(stream)
    assert_refused(http.get(f"/history/{stream}{kind}"), 410, "stream-gone", f"{stream} was deleted for good.")


def test_a_time_and_a_version_that_the_stream_does_not_reach(http: httpx.Client, eventstore_uri: str) -> None:
    with operating(eventstore_uri) as operator:
        stream, records = told(operator, "1.00")
    began = written(records[0])
    answer = http.get(f"/history/{stream}/as-of", params={"at": time_text(began - timedelta(microseconds=1))})
    assert_refused(answer, 404, "out-of-reach", f"{stream} holds nothing from before {time_text(began)}.")
    answer = http.get(f"/history/{stream}/as-of?version=2")
    assert_refused(answer, 404, "out-of-reach", f"{stream} ends at version 1.")


def test_a_version_that_was_truncated_away(http: httpx.Client, eventstore_uri: str) -> None:
    with operating(eventstore_uri) as operator:
        stream, _ = told(operator, "1.00", "2.00")
        operator.set_metadata(stream, {"$tb": 2})
    answer = http.get(f"/history/{stream}/as-of?version=1")
    assert_refused(answer, 404, "out-of-reach", f"{stream} holds nothing from before version 2 any more.")


def test_a_correlation_id_that_no_event_carries(http: httpx.Client) -> None:
    unknown = str(uuid4())
    detail = f"No event carries {unknown}, as far as was looked; `limit` and `from` say how far; {CORRELATION_IDS}."
    newest = {"from": "2999-01-01T00:00:00Z"}  # others have written more than fits into one part
    assert_refused(http.get(f"/history/trace/{unknown}", params=newest), 404, "unknown-correlation-id", detail)


@pytest.mark.parametrize(
    ("event", "readable"),
    [
        (NewRecord(type="Unheard", data=b"{}"), True),
        (NewRecord(type="AccountOpened", data=b'{"secret": 1}'), True),
        (NewRecord(type="AccountOpened", data=b"[NaN]", metadata=b'{"schema_version": 99}'), False),
        (NewRecord(type="AccountOpened", data=b'["\\ud800", 1]'), False),
        (NewRecord(type="AccountOpened", data=b"[" * 100_000), False),
        (NewRecord(type="AccountOpened", data=b"\xff", content_type="application/octet-stream"), False),
    ],
)
def test_what_this_release_can_t_read_is_told_and_not_folded(
    own: tuple[Operator, httpx.Client], event: NewRecord, readable: bool
) -> None:
    operator, http = own
    account_id = str(uuid4())
    stream = f"account-{account_id}"
    last = append(operator, stream, [stored(opened(account_id)), event])[-1]
    [_, odd] = http.get(f"/history/{stream}").json()["events"]
    assert (odd["type"], odd["actor"], odd["schema_version"]) == (event.type, None, None)
    assert (odd["data"] is not None) is readable
    assert http.get(f"/history/{stream}/as-of?version=0").status_code == 200
    detail = f"This release can't read {stream} at version 1."
    where = {"stream": stream, "version": 1, "position": str(last.position)}
    assert_refused(http.get(f"/history/{stream}/as-of?version=1"), 500, "unreadable-event", detail, **where)
    assert_refused(http.get(f"/history/{stream}/changes"), 500, "unreadable-event", detail, **where)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bare_sku_or_id_is_told_which_streams_it_may_stand_for(http: httpx.Client, kind: str) -> None:
    sku, account_id = new_stock(http, 1), new_account(http)
    for name, stream in ((sku, f"stock:{sku}"), (account_id, f"account-{account_id}")):
        detail = f"There is no stream {name}; there is {stream}."
        assert_refused(http.get(f"/history/{name}{kind}"), 404, "unknown-stream", detail)
        assert http.get(f"/history/{stream}{kind}").status_code == 200


def test_an_id_that_is_no_correlation_id_is_told_what_it_is(http: httpx.Client) -> None:
    account_id = new_account(http)
    answer = http.get(f"/history/trace/{account_id}", params={"from": "2999-01-01T00:00:00Z"})
    bounds = "as far as was looked; `limit` and `from` say how far"
    detail = f"No event carries {account_id}, {bounds}; there is account-{account_id}; {CORRELATION_IDS}."
    assert_refused(answer, 404, "unknown-correlation-id", detail)


def test_what_others_keep_in_the_store_is_not_told(own: tuple[Operator, httpx.Client]) -> None:
    operator, http = own
    operator.append("$user-admin", NewRecord("$User", b"{}"))
    assert_malformed(http.get("/history/$user-admin"), ("{stream}", NO_STREAM))
    assert_malformed(http.get("/history/$$account-0"), ("{stream}", NO_STREAM))


@pytest.mark.parametrize(
    "stream", ["x", "order", "-0", "order-", "Order-0", "order-%00", "order-%C3%A4", "a-" + "0" * 65]
)
def test_a_name_that_can_t_be_one(http: httpx.Client, stream: str) -> None:
    for kind in KINDS:
        answer = http.get(f"/history/{stream}{kind}")
        assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": "{stream}", "reason": NO_STREAM}])


@pytest.mark.parametrize("name", ["0", "stock:lamp", f"order-{uuid4()}"])
def test_a_correlation_id_that_can_t_be_one(http: httpx.Client, name: str) -> None:
    """It is told where one is found."""
    reason = f"should be a UUID; {CORRELATION_IDS}"
    assert_malformed(http.get(f"/history/trace/{name}"), ("{correlation_id}", reason))


@pytest.mark.parametrize(
    ("path", "pointer", "reason"),
    [
        ("account-0?limit=0", "?limit", NO_LIMIT),
        ("account-0?limit=101", "?limit", NO_LIMIT),
        ("account-0?cursor=x", "?cursor", NO_TOKEN),
        ("account-0?cursor=9007199254740993", "?cursor", NO_TOKEN),
        ("account-0?at_least=0", "?at_least", UNKNOWN),
        ("account-0?limit=1&limit=1", "?limit", TWICE),
        ("account-0/as-of", "?at", ONE_OF_THEM),
        (f"account-0/as-of?at={NOW}&version=0", "?at", ONE_OF_THEM),
        ("account-0/as-of?at=2026-03-01", "?at", NO_TIME),
        ("account-0/as-of?at=2026-03-01T15:00:00", "?at", NO_TIME),
        ("account-0/as-of?at=2026-03-01T15:00:00+00:00", "?at", PLUS_IN_A_URL),
        ("account-0/changes?from=2026-03-01T15:00:00.5%20%2B01:00", "?from", NO_TIME),
        ("account-0/as-of?at=2026-03-01T15:00:00.0000000001Z", "?at", NO_TIME),
        ("account-0/as-of?at=2026-02-30T15:00:00Z", "?at", NO_SUCH_TIME),
        ("account-0/as-of?at=0000-01-01T00:00:00Z", "?at", NO_SUCH_TIME),
        ("account-0/as-of?at=", "?at", NO_TIME),
        ("account-0/as-of?version=-1", "?version", NO_VERSION),
        ("account-0/as-of?version=01", "?version", NO_VERSION),
        ("account-0/as-of?version=1000000000000000000", "?version", NO_VERSION),
        ("account-0/as-of?version=0&version=0", "?version", TWICE),
        ("account-0/as-of?when=now", "?when", UNKNOWN),
        ("account-0/changes?from=today", "?from", NO_TIME),
        ("account-0/changes?to=2026-02-29T12:00:00Z", "?to", NO_SUCH_TIME),
        (f"account-0/changes?from={NOW}&to={NOW}", "?to", "should be after from"),
        (f"account-0/changes?since={NOW}", "?since", UNKNOWN),
        ("account-0/changes?limit=101", "?limit", NO_LIMIT),
        ("account-0/changes?cursor=", "?cursor", NO_TOKEN),
        (f"trace/{uuid4()}?limit=0", "?limit", NO_MOST),
        (f"trace/{uuid4()}?limit=100001", "?limit", NO_MOST),
        (f"trace/{uuid4()}?from=x", "?from", NO_TIME),
        (f"trace/{uuid4()}?to={NOW}", "?to", UNKNOWN),
    ],
)
def test_a_parameter_that_is_not_well_formed(http: httpx.Client, path: str, pointer: str, reason: str) -> None:
    assert_malformed(http.get(f"/history/{path}"), (pointer, reason))


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["account-0", "account-0/as-of", "account-0/changes", f"trace/{uuid4()}"])
def test_a_method_that_they_do_not_have(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, f"/history/{path}")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("path", ["/history", "/history/", "/history/account-0/", "/history/account-0/then"])
def test_a_path_that_is_none(http: httpx.Client, path: str) -> None:
    assert_refused(http.get(path), 404, "unknown-path", f"There is nothing at {path}.")


def test_every_answer_has_the_correlation_id_of_its_request(http: httpx.Client) -> None:
    correlation = str(uuid4())
    answer = http.get("/history/account-0", headers={"Foldstream-Correlation-Id": correlation})
    assert (answer.status_code, answer.headers["Foldstream-Correlation-Id"]) == (404, correlation)
