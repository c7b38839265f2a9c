"""What the OpenAPI document gives as examples, as requests that can be sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

_JSON: Final = "application/json"
_SCHEMAS: Final = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Example:
    """A request that the document describes; `forms` are the examples of its body."""

    method: str
    path: str
    query: Mapping[str, Any]
    forms: tuple[Any, ...]

    def send(self, http: httpx.Client, headers: Mapping[str, str]) -> list[httpx.Response]:
        """One request for each example of the body; one where it has none."""
        forms = [{"json": form} for form in self.forms] or [{}]
        return [http.request(self.method, self.path, params=self.query, headers=headers, **form) for form in forms]


def examples_in(document: Mapping[str, Any]) -> dict[str, Example]:
    """By operation."""
    return {
        operation["operationId"]: Example(
            method.upper(), _path(template, operation), _given(operation, "query"), _forms(document, operation)
        )
        for template, method, operation in _operations(document)
    }


def examples_and_schemas(document: Mapping[str, Any]) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """Each example with a name and the schema that it should be of."""
    for name, schema in document["components"]["schemas"].items():
        for number, example in enumerate(schema.get("examples", ())):
            yield f"{name} {number}", example, {"$ref": f"{_SCHEMAS}{name}"}
    parameters = (
        (f"{operation['operationId']} {parameter['name']}", parameter)
        for _, _, operation in _operations(document)
        for parameter in operation["parameters"]
    )
    yield from ((name, each["example"], each["schema"]) for name, each in parameters if "example" in each)


def bodies_in(document: Mapping[str, Any]) -> set[str]:
    """The names of the schemas that a body in JSON is of: of requests, and of answers that are no refusals."""
    found = set()
    for _, _, operation in _operations(document):
        answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        for described in (operation.get("requestBody", {}), *answers):
            found.add(described.get("content", {}).get(_JSON, {}).get("schema", {}).get("$ref", _SCHEMAS))
    return {reference.removeprefix(_SCHEMAS) for reference in found} - {""}


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each with the template of its path and its method."""
    for template, operations in document["paths"].items():
        for method, operation in operations.items():
            yield template, method, operation


def _path(template: str, operation: Mapping[str, Any]) -> str:
    return template.format(**_given(operation, "path"))


def _given(operation: Mapping[str, Any], where: str) -> dict[str, Any]:
    return {
        parameter["name"]: parameter["example"]
        for parameter in operation["parameters"]
        if parameter["in"] == where and "example" in parameter
    }


def _forms(document: Mapping[str, Any], operation: Mapping[str, Any]) -> tuple[Any, ...]:
    schema = operation.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("schema")
    if schema is None:
        return ()
    return tuple(document["components"]["schemas"][schema["$ref"].removeprefix(_SCHEMAS)]["examples"])
