"""The table in docs/access-table.md is what a service answers."""

import httpx

from tests.service.http.access.calls import CALLS
from tests.service.http.access.table import RECORDED, recorded
from tests.support.callers import AUTHORIZED


def test_every_route_is_called_by_every_role_as_recorded(api: str) -> None:
    with httpx.Client(base_url=api, timeout=40, trust_env=False, headers=AUTHORIZED) as http:
        assert recorded(http) == RECORDED.read_text(encoding="utf-8")


def test_every_route_is_in_it(http: httpx.Client) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} == set(CALLS)
