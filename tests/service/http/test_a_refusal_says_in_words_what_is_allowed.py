"""Whatever the OpenAPI document has a pattern for is refused in words; no answer holds a regular expression."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import httpx
import pytest

from service.http.middleware.observation import CORRELATION

WRONG: Final = "% %"
WRONG_MEMBERS: Final = {"why": " "}  # what is wrong elsewhere is a reason
WRONG_IN_A_PATH: Final = "%25%20%25"
POINTERS: Final = {"path": "{{{}}}", "query": "?{}", "header": "{}"}
IN_WORDS: Final = ("should be ", "should not be all of it blank", "is none of those that this service gives out")
PARTS_OF_A_TRIP: Final = {"car": "CarForm", "room": "RoomForm", "flight": "FlightForm"}
Schema = Mapping[str, Any]


@pytest.fixture(scope="module")
def document(http: httpx.Client) -> Schema:
    return cast("Schema", http.get("/openapi.json").json())


def parts(schema: Any) -> Iterator[Schema]:
    """The schema and all that it holds."""
    if isinstance(schema, Mapping):
        yield schema
    for part in schema.values() if isinstance(schema, Mapping) else schema if isinstance(schema, list) else ():
        yield from parts(part)


def has_form(schema: Any) -> bool:
    return any("pattern" in part or part.get("format") == "uuid" for part in parts(schema))


def operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def refusals_of_parameters(http: httpx.Client, document: Schema) -> Iterator[tuple[str, httpx.Response]]:
    for method, path, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            name, where = parameter["name"], parameter["in"]
            if has_form(parameter["schema"]) and name != CORRELATION:
                asked = path.replace(f"{{{name}}}", WRONG_IN_A_PATH).replace("{", "").replace("}", "")
                query, headers = ({name: WRONG} if where == kind else {} for kind in ("query", "header"))
                answer = http.request(method, asked, params=query, headers=headers)
                yield POINTERS[where].format(name), answer


def formed(document: Schema, form: str) -> list[str]:
    """The members of a form that have a pattern."""
    properties = document["components"]["schemas"][form]["properties"]
    return [name for name, schema in properties.items() if has_form(schema)]


def refusals_of_bodies(http: httpx.Client, document: Schema) -> Iterator[tuple[str, httpx.Response]]:
    for method, path, operation in operations(document):
        forms = [part["$ref"].rpartition("/")[2] for part in parts(operation.get("requestBody")) if "$ref" in part]
        for name in (name for form in forms for name in formed(document, form)):
            yield f"/{name}", http.request(method, path, json={name: WRONG_MEMBERS.get(name, WRONG)})
    for name in formed(document, "ItemForm"):
        yield f"/items/0/{name}", http.post("/orders", json={"items": [{name: WRONG}]})
    for part, form in PARTS_OF_A_TRIP.items():
        for name in formed(document, form):
            yield f"/{part}/{name}", http.post("/trips", json={part: {name: WRONG}})


def test_every_field_parameter_and_header_with_a_pattern(http: httpx.Client, document: Schema) -> None:
    patterns = {part["pattern"] for part in parts(document) if isinstance(part.get("pattern"), str)}
    refused = [*refusals_of_parameters(http, document), *refusals_of_bodies(http, document)]
    tried = {pointer for pointer, _ in refused}
    assert tried == {
        *("Idempotency-Key", "If-Match", "?at_least", "?consistency", "?cursor", "?owner_id", "?view"),
        *("{account_id}", "{correlation_id}", "{customer_id}", "{order_id}", "{sku}", "{stream}", "{name}"),
        *("{instance_id}", "{saga_type}", "?key", "?step"),
        *("{station}", "{car_class}", "{hotel}", "{room_type}", "{flight}", "{cabin}", "{trip_id}", "{saga_id}"),
        *("/account_id", "/amount", "/credit_limit", "/customer_id", "/id", "/owner_id", "/sku", "/unit_price", "/why"),
        *("/price", "/items/0/sku", "/items/0/unit_price"),
        *("/car/station", "/car/car_class", "/room/hotel", "/room/room_type", "/flight/flight", "/flight/cabin"),
    }
    for pointer, answer in refused:
        reasons = {error["pointer"]: error["reason"] for error in answer.json()["errors"]}
        assert reasons[pointer].startswith(IN_WORDS)
        assert "pattern" not in answer.text
        assert [pattern for pattern in patterns if pattern in answer.json()["detail"] + str(reasons)] == []
