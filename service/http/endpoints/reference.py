"""The API's reference as one HTML page, made from the OpenAPI document; it needs nothing from elsewhere."""

import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import groupby
from typing import Any, Final

from service.http.middleware.admission import DECLARED

_STYLE: Final = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
h2 { border-bottom: 1px solid; margin-top: 3rem; text-transform: capitalize }
code, .path { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
details { margin: .5rem 0 }
details > div { margin: .5rem 0 1.5rem 1.25rem }
summary { cursor: pointer }
p { margin: .25rem 0 }
table { border-collapse: collapse; margin: .75rem 0; width: 100% }
td, th { border-bottom: 1px solid #8886; padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top }
.method { display: inline-block; font-weight: bold; min-width: 4.5rem }
"""
_BOUNDS: Final[Mapping[str, str]] = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "pattern": "matches {}",
    "default": "{} unless given",
}


def page(title: str, body: Iterable[str]) -> str:
    """A whole page with this body."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>'


def link(path: str) -> str:
    """A link to a path of this service."""
    return f'<a href="{escape(path)}">{escape(path)}</a>'


def reference(document: Mapping[str, Any]) -> str:
    """The page: every operation by its tag, with parameters, body and answers, then every form of data."""
    info = document["info"]
    return page(f"{info['title']} API", _sections(document, f"{info['title']} {info['version']}", info["description"]))


def _sections(document: Mapping[str, Any], title: str, description: str) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1><p>{escape(description)} For tools: {link('/openapi.json')}</p>"
    operations = [
        (operation["tags"][0], method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    tags = list(dict.fromkeys(str(each[0]) for each in operations))
    operations.sort(key=lambda each: tags.index(str(each[0])))
    for tag, group in groupby(operations, key=lambda each: str(each[0])):
        yield f"<h2>{escape(tag)}</h2>"
        yield from (_operation(method, path, operation) for _, method, path, operation in group)
    yield "<h2>Forms of data</h2>"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f'<h3 id="{escape(name)}">{escape(name)}</h3>{_text(schema)}{_members(schema)}{_examples(schema)}'


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    name = f'<span class="method">{escape(method.upper())}</span><span class="path">{escape(path)}</span>'
    parts = (_parameters(operation.get("parameters", ())), _body(operation), _answers(operation["responses"]))
    action = f"<p>Action: {_code(operation[DECLARED])}</p>"
    return f"<details><summary>{name}</summary><div>{_text(operation)}{action}{''.join(parts)}</div></details>"


def _parameters(parameters: Iterable[Mapping[str, Any]]) -> str:
    return _table(
        ("parameter", "in", "", ""),
        (
            (_code(each["name"]), escape(each["in"]), _type(each["schema"]), _text(each, required=each["required"]))
            for each in parameters
        ),
    )


def _body(operation: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return "".join(f"<p>Body: {_type(each.get('schema', {}))}, {_code(kind)}</p>" for kind, each in content.items())


def _answers(responses: Mapping[str, Mapping[str, Any]]) -> str:
    return _table(
        ("answer", "", "headers", ""),
        (
            (
                escape(status),
                " or ".join(_type(each.get("schema", {})) for each in answer.get("content", {}).values()),
                "<br>".join(map(_code, answer.get("headers", ()))),
                _text(answer),
            )
            for status, answer in responses.items()
        ),
    )


def _members(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    return _table(
        ("member", "", ""),
        (
            (_code(name), _type(member), _text(member, required=name in required))
            for name, member in schema.get("properties", {}).items()
        ),
    )


def _examples(schema: Mapping[str, Any]) -> str:
    shown = (json.dumps(example, indent=2, ensure_ascii=False) for example in schema.get("examples", ()))
    return "".join(f"<pre>{escape(example)}</pre>" for example in shown)


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in words, with links to those that have a name."""
    match schema:
        case {"$ref": reference}:
            name = escape(str(reference).rpartition("/")[2])
            return f'<a href="#{name}">{name}</a>'
        case {"anyOf": choices}:
            return " or ".join(_type(choice) for choice in choices)
        case {"enum": values}:
            return ", ".join(map(_code, values))
        case {"const": value}:
            return _code(value)
        case {"type": "array"}:
            return f"list of {_type(schema.get('items', {})) or 'anything'}{_bounds(schema)}"
        case _:
            return escape(str(schema.get("format", schema.get("type", "")))) + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    return "".join(f", {words.format(_code(schema[name]))}" for name, words in _BOUNDS.items() if name in schema)


def _text(described: Mapping[str, Any], *, required: bool = False) -> str:
    text = ("Required. " if required else "") + str(described.get("description", ""))
    return "".join(f"<p>{_with_code(paragraph)}</p>" for paragraph in text.split("\n\n") if paragraph.strip())


def _with_code(text: str) -> str:
    """Text in which words between backticks are code."""
    words = text.split("`")
    return "".join(_code(word) if number % 2 else escape(word) for number, word in enumerate(words))


def _code(value: object) -> str:
    return f"<code>{escape(str(value))}</code>"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>" if lines else ""
