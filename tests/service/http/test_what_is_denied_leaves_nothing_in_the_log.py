"""Calls at random, by callers at random, to an API whose log nobody else writes."""

import random

import httpx
import pytest

from infrastructure.access.caller import Caller
from service.access.action import Action
from service.access.policy import ROLES, may_at_all
from tests.infrastructure.eventstore.operator import Operator
from tests.service.http.route_calls import CALLS, World
from tests.service.http.shop import new_account, new_order
from tests.service.http.test_each_route_says_what_it_does import OPEN
from tests.service.http.travel import new_trip
from tests.support.callers import header_of

ROUNDS = 300
STRANGERS = [
    Caller("bob", frozenset({"customer"})),
    *(Caller("ada", frozenset({role}), "acme") for role in ROLES),
]
CLOSED = [route for route in CALLS if route[1] not in OPEN]


@pytest.fixture(scope="module")
def world(own: tuple[Operator, httpx.Client]) -> World:
    _, http = own
    things = (new_order(http, customer_id="ada"), new_account(http, owner_id="ada"), new_trip(http, customer_id="ada"))
    return World(http, "ada", "acme", *things, "0b7a3c9e-32a1-4c5e-8f65-3a9f6f1f2d01")


@pytest.mark.parametrize("seed", range(3))
def test_what_may_denies_changes_nothing(own: tuple[Operator, httpx.Client], world: World, seed: int) -> None:
    operator, http = own
    document = http.get("/openapi.json").json()["paths"]
    some, denied = random.Random(seed), 0
    for _ in range(ROUNDS):
        method, template = some.choice(CLOSED)
        roles = frozenset(some.sample(ROLES, some.randint(0, 2)))
        caller = Caller(some.choice(["ada", "bob"]), roles, some.choice(["default", "acme"]))
        if may_at_all(caller, Action(document[template][method.lower()]["x-action"])).allowed:
            continue
        path, body = CALLS[method, template](world, "ada")
        before = _end(operator)
        header = header_of(caller.subject, *caller.roles, tenant=caller.tenant)
        assert http.request(method, path, json=body, headers=header).status_code == 403
        assert _end(operator) == before
        denied += 1
    assert denied > ROUNDS // 4


@pytest.mark.parametrize("seed", range(3))
def test_strangers_change_nothing_of_what_is_another_s_whatever_they_may(
    own: tuple[Operator, httpx.Client], world: World, seed: int
) -> None:
    """Another customer, and every role of another tenant, whose own streams may grow."""
    operator, http = own
    some, done, elsewhere = random.Random(seed), 0, r"[a-z0-9_]+\..*"
    for _ in range(ROUNDS // 2):
        method, template = some.choice(CLOSED)
        caller = some.choice(STRANGERS)
        path, body = CALLS[method, template](world, "ada")
        before = _end(operator, elsewhere)
        header = header_of(caller.subject, *caller.roles, tenant=caller.tenant)
        done += http.request(method, path, json=body, headers=header).is_success
        assert _end(operator, elsewhere) == before
    assert done > 0


def _end(operator: Operator, *others: str) -> int:
    """Of all but the access log, which keeps what was denied, and these."""
    left_out = (r"\$.*", r"(?:[a-z0-9_]+\.)?access-.*", *others)
    return operator.client.get_commit_position(filter_exclude=left_out, filter_by_stream_name=True)
