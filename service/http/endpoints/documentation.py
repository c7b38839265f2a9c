"""The OpenAPI document: what every endpoint may answer, refusals and headers included."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from service.access.action import OPEN
from service.http import tokens
from service.http.endpoints.examples import add_examples
from service.http.middleware.admission import DECLARED, SCHEME
from service.http.middleware.observation import CORRELATION
from service.http.problems import COME_BACK, MEDIA_TYPE, RETRY_AFTER, ProblemDocument, status_of

_TEXT: Final = {"type": "string"}
_HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    CORRELATION: {"description": "The request's own, where it sent a UUID.", "schema": {**_TEXT, "format": "uuid"}},
    "Foldstream-Position": {"description": tokens.DESCRIPTION, "schema": {**_TEXT, "pattern": tokens.GIVEN}},
    "ETag": {"description": "The version, in quotes, as If-Match takes it.", "schema": _TEXT},
    "Location": {"description": "The path of what was created.", "schema": _TEXT},
    "WWW-Authenticate": {"description": "How to say who asks (RFC 6750).", "schema": _TEXT},
    "Retry-After": {"description": f"Seconds; {RETRY_AFTER} at present.", "schema": {"type": "integer"}},
}
_REFUSAL_HEADERS: Final[Mapping[int, tuple[str, ...]]] = {
    status_of("unauthenticated"): ("WWW-Authenticate",),
    **dict.fromkeys(COME_BACK, ("Retry-After",)),
}
_ALWAYS: Final = (
    "bad-request",
    "request-timeout",
    "url-too-long",
    "head-too-large",
    "malformed",
    "unexpected",
    "unsupported-http-version",
)
_RULES: Final[Mapping[str, tuple[str, ...]]] = {
    "command": (
        "version-mismatch",
        "event-too-large",
        "idempotency-key-reused",
        "conflict",
        "overloaded",
        "rate-limited",
        "store-unavailable",
        "unreadable-event",
    ),
    "query": (
        "foreign-position",
        "overloaded",
        "rate-limited",
        "read-model-behind",
        "read-model-unavailable",
        "unknown-view",
        "view-is-past",
    ),
    "history": ("overloaded", "rate-limited", "store-unavailable"),
    "plain": ("rate-limited",),
    "probe": (),
}
_OF_ACCESS: Final = ("unauthenticated", "forbidden")
_BEARER: Final = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
_WITH_BODY: Final = ("too-large", "not-json", "unknown-encoding")
Kind = Literal["create", "command", "query", "list", "history", "plain", "probe"]
_SUCCESS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "create": ("Foldstream-Position", "ETag", "Location"),
    "command": ("Foldstream-Position", "ETag"),
    "query": ("Foldstream-Position", "ETag"),
    "list": ("Foldstream-Position",),
    "history": (),
    "plain": (),
    "probe": (),
}
_DESCRIPTIONS: Final[Mapping[Kind, str]] = {
    "create": "It was created.",
    "command": "It happened, or was so already.",
    "query": "What was asked for, as the read model has it.",
    "list": "What was asked for, as the read model has it.",
    "history": "What was asked for, as the log has it.",
    "plain": "What was asked for.",
    "probe": "What was asked for.",
}
_NOT_VISIBLE: Final = "It happened, or was so already; a read model that `consistency` names has not come as far yet."
_ANY: Final = "`If-None-Match: *` was asked, and there is an answer."
_UNCHANGED: Final = "The answer's ETag is in `If-None-Match`, or that is `*`."
_CORRELATION: Final = {
    "name": CORRELATION,
    "in": "header",
    "required": False,
    "description": "A UUID to find all that the request caused by; anything else is ignored.",
    "schema": _TEXT,
}
_FAMILY: Final[Mapping[Kind, str]] = {"create": "command", "list": "query"}


def documented(kind: Kind, *rules: str) -> dict[int | str, dict[str, Any]]:
    """The responses of an endpoint: its success, and every rule that may refuse it, by status."""
    family = _FAMILY.get(kind, kind)
    bodies = _WITH_BODY if family == "command" else ()
    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for rule in (*rules, *_RULES[family], *bodies, *_ALWAYS):
        by_status[status_of(rule)].append(rule)
    success = 201 if kind == "create" else 200
    unchanged = {"description": _UNCHANGED if kind == "query" else _ANY, "headers": _headers(*_SUCCESS[kind])}
    return {
        success: {"description": _DESCRIPTIONS[kind], "headers": _headers(*_SUCCESS[kind])},
        **({304: unchanged} if family != "command" else {202: _not_visible(kind)}),
        **{refused: _refusal(refused, names) for refused, names in sorted(by_status.items())},
    }


def _not_visible(kind: Kind) -> dict[str, Any]:
    """Its body is that of the success."""
    return {"description": _NOT_VISIBLE, "headers": _headers(*_SUCCESS[kind])}


def unable(description: str, model: type[BaseModel]) -> dict[str, Any]:
    """The response of an endpoint that says itself why nothing can be served, in a document of its own."""
    return {"description": description, "model": model, "headers": _headers("Retry-After")}


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The document of the application as it is."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas.update(schema.pop("$defs"))
    schemas["Problem"] = schema
    document["components"]["securitySchemes"] = {SCHEME: _BEARER}
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        parameters = [_without_null(parameter) for parameter in operation.get("parameters", ())]
        operation["parameters"] = [*parameters, _CORRELATION]
        responses = operation["responses"]
        if operation[DECLARED] != OPEN:
            responses |= {str(status_of(rule)): _refusal(status_of(rule), [rule]) for rule in _OF_ACCESS}
            operation["responses"] = responses = dict(sorted(responses.items()))
        if "202" in responses:
            responses["202"]["content"] = responses["200" if "200" in responses else "201"]["content"]
        for content in operation.get("requestBody", {}).get("content", {}).values():
            content["schema"].pop("default", None)  # that of a form with defaults of its own is none that may be sent
    add_examples(document)
    return document


def _without_null(parameter: dict[str, Any]) -> dict[str, Any]:
    """A parameter may be left out; as null it can't be sent."""
    schema = parameter["schema"]
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) != 1:
        return parameter
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**parameter, "schema": {**choices[0], **rest}}


def _refusal(status: int, rules: list[str]) -> dict[str, Any]:
    return {
        "description": "Refused: " + ", ".join(f"`{rule}`" for rule in rules) + ".",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        "headers": _headers(*_REFUSAL_HEADERS.get(status, ())),
    }


def _headers(*names: str) -> dict[str, Mapping[str, Any]]:
    return {name: _HEADERS[name] for name in (*names, CORRELATION)}
