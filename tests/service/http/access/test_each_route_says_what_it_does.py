"""By an action that the policies know, in the code and in the OpenAPI document."""

from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from service.access.action import Action
from service.http import app as application
from service.http.middleware.admission import declared, does, is_open
from service.http.middleware.strict_route import StrictRoute
from tests.service.http.description import Description

OPEN = {"/", "/docs", "/openapi.json", "/health/live", "/health/ready"}


def test_every_router_refuses_a_route_that_declares_none() -> None:
    router = APIRouter(route_class=StrictRoute)
    with pytest.raises(TypeError, match=r"^/anything declares no action; does\(…\) or is_open\(\) says which$"):
        router.get("/anything")(lambda: None)


def test_every_route_that_is_served_is_of_that_kind_and_those_that_are_open_are_known() -> None:
    routes = [route for module in application.SERVED for route in module.router.routes]
    assert {type(route) for route in routes} == {StrictRoute}
    opened = {route.path for route in routes if isinstance(route, APIRoute) and _action(route) is None}
    assert opened == OPEN


def _action(route: APIRoute) -> Action | None:
    return declared(route.path, route.openapi_extra)


def test_the_document_says_it_and_who_is_refused(description: Description) -> None:
    for path, operation in _operations(description):
        action, security = operation["x-action"], operation["security"]
        if path in OPEN:
            assert (action, security) == ("open", is_open(tells_more=path == "/health/ready")["security"])
            assert not {"401", "403"} & set(operation["responses"])
        else:
            assert {"x-action": action, "security": security} == does(Action(action))
            assert operation["responses"]["401"]["description"] == "Refused: `unauthenticated`."
            assert operation["responses"]["403"]["description"] == "Refused: `forbidden`."


def test_the_document_says_how_a_token_is_sent(description: Description) -> None:
    schemes = description.document["components"]["securitySchemes"]
    assert schemes == {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}


def _operations(description: Description) -> list[tuple[str, dict[str, Any]]]:
    paths = description.document["paths"].items()
    return [(path, operation) for path, methods in paths for operation in methods.values()]
