"""By its token, before any look at what is sent."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.service.http.access.calls import CALLS, Route, World
from tests.service.http.access.test_each_route_says_what_it_does import OPEN
from tests.service.http.shop import assert_refused
from tests.service.http.wire import answer
from tests.support.access import bearer, development_key, token_for
from tests.support.callers import AUTHORIZED, header_of

CLOSED = [route for route in CALLS if route[1] not in OPEN]


@pytest.fixture(scope="module")
def nobody(api: str, http: httpx.Client) -> Iterator[httpx.Client]:
    """A connection of nobody known, whose answers have to be as described."""
    with httpx.Client(base_url=api, timeout=40, trust_env=False, event_hooks=http.event_hooks) as client:
        yield client


@pytest.fixture
def world(http: httpx.Client) -> World:
    """Names of things; whether they are there plays no part."""
    return World(http, "ada", "acme", *(str(uuid4()) for _ in range(4)))


def _sent(nobody: httpx.Client, world: World, route: Route, headers: dict[str, str]) -> httpx.Response:
    path, body = CALLS[route](world, "ada")
    return nobody.request(route[0], path, json=body, headers=headers)


@pytest.mark.parametrize("route", CLOSED, ids=" ".join)
def test_without_a_good_token_none_is_answered(
    nobody: httpx.Client, world: World, route: Route, tmp_path_factory: pytest.TempPathFactory
) -> None:
    unsent = _sent(nobody, world, route, {})
    assert_refused(unsent, 401, "unauthenticated", "This takes a token: Authorization: Bearer <token>.")
    assert unsent.headers["WWW-Authenticate"] == "Bearer"
    for header in _no_good(tmp_path_factory):
        refused = _sent(nobody, world, route, header)
        assert (refused.status_code, refused.json()["rule"]) == (401, "unauthenticated")
        assert refused.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token", error_description="')


def _no_good(folders: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An expired token, one of another's key, one that is none, and another way to say who asks."""
    yield header_of("ada", "administrator", seconds=-600)
    yield bearer(token_for(development_key(folders.mktemp("another")), roles=("administrator",)))
    yield bearer("nonsense")
    yield {"Authorization": "Basic YTpi"}


@pytest.mark.parametrize("route", sorted(set(CALLS) - set(CLOSED)), ids=" ".join)
def test_those_that_are_open_take_any(nobody: httpx.Client, world: World, route: Route) -> None:
    for header in ({}, AUTHORIZED, bearer("nonsense"), header_of("ada", "customer", seconds=-600)):
        assert _sent(nobody, world, route, header).status_code == 200


@pytest.mark.parametrize(
    "lines",
    [
        b"Authorization: Bearer\r\n",
        b"Authorization: Bearer \r\n",
        b"Authorization: Bearer a b\r\n",
        b"Authorization: Bearer a,Bearer b\r\n",
        b"Authorization: Bearer%\r\n",
        b"Authorization: \r\n",
        b"Authorization: Bearer \xe4\r\n",
        b"Authorization: %(good)b\r\nAuthorization: %(good)b\r\n",
    ],
)
def test_a_header_that_is_not_one_token_is_refused(api: str, lines: bytes) -> None:
    sent = lines.replace(b"%(good)b", AUTHORIZED["Authorization"].encode())
    refused = answer(api, b"GET /orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + sent + b"\r\n")
    assert (refused.status, refused.rule) == (401, "unauthenticated")
    assert refused.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_written_in_any_case(nobody: httpx.Client, scheme: str) -> None:
    token = AUTHORIZED["Authorization"].partition(" ")[2]
    assert nobody.get("/orders", headers={"Authorization": f"{scheme} {token}"}).status_code == 200


def test_it_is_asked_before_any_look_at_the_form(nobody: httpx.Client) -> None:
    """Else who may not ask would learn what is taken."""
    wrong: dict[str, Any] = {"content": b"{", "params": [("wait", "x"), ("wait", "y"), ("unknown", "1")]}
    for path in ("/orders", "/orders/no-uuid/cancel"):
        assert nobody.post(path, **wrong).status_code == 401
        forbidden = nobody.post(path, **wrong, headers=header_of("wim", "warehouse"))
        assert (forbidden.status_code, forbidden.json()["rule"]) == (403, "forbidden")
        assert nobody.post(path, **wrong, headers=AUTHORIZED).status_code == 422


def test_a_refusal_names_the_action_and_nothing_else(nobody: httpx.Client) -> None:
    refused = nobody.get("/history/order-0b7a3c9e-32a1-4c5e-8f65-3a9f6f1f2d01", headers=header_of("ada", "customer"))
    said = "The roles of this caller do not allow read-history."
    assert_refused(refused, 403, "forbidden", said, action="read-history")
    assert "WWW-Authenticate" not in refused.headers


def test_a_token_in_the_address_is_no_token(nobody: httpx.Client) -> None:
    token = AUTHORIZED["Authorization"].partition(" ")[2]
    assert nobody.get("/orders", params={"access_token": token}).status_code == 401
