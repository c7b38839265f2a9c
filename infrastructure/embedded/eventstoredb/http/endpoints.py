"""The HTTP endpoints of EventStoreDB that probes ask: health, info, gossip, ping."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from infrastructure.embedded.eventstoredb.version import VERSION

Document: TypeAlias = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: a status, and JSON or nothing. `allow` names the methods where another was used."""

    status: int
    body: bytes = b""
    allow: str = ""

    def headers(self) -> list[tuple[str, str]]:
        """Names in lower case."""
        headers = [("content-type", "application/json; charset=utf-8")] if self.body else []
        if self.allow:
            headers.append(("allow", self.allow))
        return headers if self.status == 204 else [*headers, ("content-length", str(len(self.body)))]


@dataclass(frozen=True, slots=True)
class Node:
    """What the endpoints say of the server. `is_ready` is false while no write succeeds, and once it is stopping."""

    host: str
    port: int
    is_secure: bool
    is_ready: Callable[[], bool]


class Endpoints:
    """The endpoints of a node; they need no password."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._documents: dict[str, Document] = {"/info": self._info, "/gossip": self._gossip, "/ping": _ping}

    def answer(self, method: str, target: str) -> Response:
        """For a request line's method and target."""
        path = target.partition("?")[0]
        document = self._documents.get(path)
        if document is None and path != "/health/live":
            return Response(404)
        if method not in {"GET", "HEAD"}:
            return Response(405, allow="GET, HEAD")
        if document is not None:
            return Response(200, json.dumps(document()).encode())
        return Response(204 if self._node.is_ready() else 503)

    def _info(self) -> Mapping[str, Any]:
        features = {"projections": True, "userManagement": False, "atomPub": False}
        authentication: dict[str, Any] = {"type": "internal" if self._node.is_secure else "insecure", "properties": {}}
        return {"esVersion": VERSION, "state": "leader", "features": features, "authentication": authentication}

    def _gossip(self) -> Mapping[str, Any]:
        member = {
            "timeStamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "state": "Leader",
            "isAlive": True,
            "httpEndPointIp": self._node.host,
            "httpEndPointPort": self._node.port,
        }
        return {"members": [member], "serverIp": self._node.host, "serverPort": self._node.port}


def _ping() -> Mapping[str, Any]:
    return {"label": "ping", "text": "Ping request successfully handled"}
