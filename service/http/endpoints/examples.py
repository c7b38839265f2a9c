"""The examples of the OpenAPI document: the requests work when sent in order, and the answers are theirs."""

import json
from importlib.resources import files
from typing import Any, Final

_FOUND: Final[dict[str, dict[str, Any]]] = json.loads(
    files("service.http.endpoints").joinpath("examples.json").read_text(encoding="utf-8")
)
_OF_PARAMETERS: Final = _FOUND["parameters"]
_OF_OPERATIONS: Final[dict[str, dict[str, Any]]] = _FOUND["operations"]
"""By operation, the parameters whose example differs from that of their name elsewhere, or that are required."""


def add_examples(document: dict[str, Any]) -> None:
    """Adds an example to the schemas of bodies, to the parameters in paths, and to those of single operations."""
    for name, examples in _FOUND["schemas"].items():
        document["components"]["schemas"][name]["examples"] = examples
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        own = _OF_OPERATIONS.get(operation["operationId"], {})
        for parameter in operation["parameters"]:
            name = parameter["name"]
            if name in own or (parameter["in"] == "path" and name in _OF_PARAMETERS):
                parameter["example"] = own.get(name, _OF_PARAMETERS.get(name))
