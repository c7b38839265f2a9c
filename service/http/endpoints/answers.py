"""Answers to commands, built from the outcome alone, so that a repeat gets the same answer."""

from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel

from domain.money import Money
from infrastructure.commands.request import Outcome
from service.http import tokens


class Changed(BaseModel):
    """What was asked has happened, or was so already. `version` is the number of its stream's last event."""

    id: str
    version: int
    position: str


class LineAdded(Changed):
    """A line was added to an order; `line` names it from now on."""

    line: int


def changed(key: str, outcome: Outcome, **members: Any) -> JSONResponse:
    """200: it happened, or was so before."""
    return _answer(200, {"id": key, **_version_and_position(outcome), **members}, outcome)


def created(path: str, key: str, outcome: Outcome) -> JSONResponse:
    """201: it was created, at the path."""
    answer = _answer(201, {"id": key, **_version_and_position(outcome)}, outcome)
    answer.headers["Location"] = path
    return answer


def digits(money: Money) -> str:
    """An amount as JSON text: all of its currency's decimals, and no exponent."""
    return f"{money.amount:f}"


def _version_and_position(outcome: Outcome) -> dict[str, Any]:
    return {"version": outcome.version, "position": tokens.write(outcome.position)}


def _answer(status: int, body: dict[str, Any], outcome: Outcome) -> JSONResponse:
    headers = {"Foldstream-Position": tokens.write(outcome.position), "ETag": f'"{outcome.version}"'}
    return JSONResponse(body, status, headers)
