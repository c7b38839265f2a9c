"""What each stored name and version consists of, so that people can read it and a test can tell when it changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pydantic import TypeAdapter

from infrastructure.eventstore.schema import Schema

Fields: TypeAlias = dict[str, Any]
_DECIMAL: Final = {
    "number",
    "string",
}  # how pydantic describes a Decimal, which is read from either and written as text


@dataclass(frozen=True, slots=True)
class Shape:
    """One name and version; `becomes` are the names of the events it is read as, its own where it is today's.

    `fields` are JSON: the name of a type for a value, a list of one for many of it, a mapping for an object. A
    question mark behind a member's name says that it may be missing. What else a value must be (a pattern, a choice
    of words) is left out: it may be widened without a new version.
    """

    name: str
    version: int
    today: bool
    becomes: tuple[str, ...]
    fields: Fields


def shapes_of(schema: Schema) -> list[Shape]:
    """All of them, by name and version."""
    became: dict[tuple[str, int], set[str]] = {}
    for event in schema.current.values():
        for step in event.upcasters:
            became.setdefault((step.name, step.version), set()).add(event.stored_name)
    today = [
        Shape(*key, today=True, becomes=(key[0],), fields=fields_of(event)) for key, event in schema.current.items()
    ]
    past = [
        Shape(*key, today=False, becomes=tuple(sorted(became[key])), fields=fields_of(step.shape))
        for key, step in schema.upcasters.items()
    ]
    return sorted([*today, *past], key=lambda shape: (shape.name, shape.version))


def fields_of(shape: type[Any]) -> Fields:
    """The members of a model or TypedDict; the names of classes, which may change, do not show."""
    described = TypeAdapter(shape).json_schema()
    fields = _plain(described, described.get("$defs", {}))
    assert isinstance(fields, dict)
    return fields


def _plain(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    if "$ref" in node:
        return _plain(definitions[node["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in node:
        return _either([_plain(choice, definitions) for choice in node["anyOf"]])
    match node.get("type"):
        case "object":
            return _members(node, definitions)
        case "array":
            return [_plain(node.get("items", {}), definitions)]
        case kind:
            return node.get("format", kind or "anything")


def _either(choices: list[Any]) -> Any:
    return "decimal" if all(isinstance(each, str) for each in choices) and set(choices) == _DECIMAL else {"or": choices}


def _members(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Fields:
    if "properties" not in node and "additionalProperties" in node:
        others = node["additionalProperties"]
        return {"*": _plain({} if others is True else others, definitions)}
    required = node.get("required", ())
    return {
        name if name in required else f"{name}?": _plain(member, definitions)
        for name, member in node.get("properties", {}).items()
    }
