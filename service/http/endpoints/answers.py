"""Answers to commands, built from the outcome alone, so that a repeat gets the same answer."""

from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from domain.money import Money
from service.http import tokens
from service.http.endpoints.commands import Sent


class Changed(BaseModel):
    """What was asked has happened, or was so already. `version` is the number of its stream's last event."""

    id: str
    version: int
    position: str = Field(pattern=tokens.GIVEN, description=tokens.DESCRIPTION)


class LineAdded(Changed):
    """A line was added to an order; `line` names it from now on."""

    line: int


def changed(key: str, sent: Sent, **members: Any) -> JSONResponse:
    """200: it happened, or was so before. 202 where a read model that was named does not show it yet."""
    return _answer(200, key, sent, **members)


def created(path: str, key: str, sent: Sent) -> JSONResponse:
    """201: it was created, at the path. 202 where a read model that was named does not show it yet."""
    answer = _answer(201, key, sent)
    answer.headers["Location"] = path
    return answer


def digits(money: Money) -> str:
    """An amount as JSON text: all of its currency's decimals, and no exponent."""
    return f"{money.amount:f}"


def _answer(status: int, key: str, sent: Sent, **members: Any) -> JSONResponse:
    position, version = tokens.write(sent.token), sent.outcome.version
    headers = {"Foldstream-Position": position, "ETag": f'"{version}"'}
    body = {"id": key, "version": version, "position": position, **members}
    return JSONResponse(body, status if sent.is_visible else 202, headers)
