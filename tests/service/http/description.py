"""Compares what the API answers with what its OpenAPI document says that it may answer."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from tests.support.canaries import assert_untold

PROBLEM = "application/problem+json"


class Description:
    """An OpenAPI document that answers are held against."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", template)), operations)
            for template, operations in document["paths"].items()
        ]

    def demand(self, answer: httpx.Response) -> None:
        """Fails where the answer's status, headers, type or body are not as described."""
        answer.read()
        assert_untold((answer.text, str(answer.headers)))
        method = answer.request.method.replace("HEAD", "GET")
        operation = self._operation(method, answer.request.url)
        if operation is None:
            assert answer.status_code in {204, 404, 405}, f"{answer.request.url} is not described"
            return
        described = operation["responses"].get(str(answer.status_code))
        assert described is not None, f"{answer.status_code} is not described for {answer.request.url}"
        missing = [name for name in described.get("headers", ()) if name not in answer.headers]
        assert not missing, f"without {missing}"
        if answer.status_code == 304 or answer.request.method == "HEAD":
            assert answer.content == b""
            return
        media_type = answer.headers["Content-Type"].partition(";")[0]
        self._demand_body(answer, described["content"][media_type].get("schema", {}))

    def _demand_body(self, answer: httpx.Response, schema: Mapping[str, Any]) -> None:
        if "json" in answer.headers["Content-Type"]:
            Draft202012Validator({**self.document, **schema}).validate(answer.json())

    def _operation(self, method: str, url: httpx.URL) -> Mapping[str, Any] | None:
        path = url.raw_path.decode().partition("?")[0]
        found = (operations.get(method.lower()) for pattern, operations in self._paths if pattern.fullmatch(path))
        return next((operation for operation in found if operation is not None), None)
