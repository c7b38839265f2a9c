"""Sends the command of a request to its handler, under the caller's key and within bounds, and counts the outcome."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Header, Query, Request
from pydantic import BaseModel
from structlog.contextvars import bind_contextvars

from domain.errors import DomainError
from domain.message import Command
from domain.stream_name import stream_name
from infrastructure.commands.request import Outcome
from infrastructure.commands.request import Request as CommandRequest
from infrastructure.eventstore.errors import EventStoreError
from service.consumers import route
from service.http.connections import Connections
from service.http.endpoints import idempotency
from service.http.endpoints.parameters import NoParameters
from service.http.middleware import metrics
from service.http.middleware.gate import Gate
from service.http.problems import Fault, Problem, malformed
from service.http.refusals import problem_of

ACTOR: Final = "anonymous"
TENANT: Final = "default"
_NO_VERSION: Final = 2**64  # no stream gets there, so that a creation for a certain version is always refused
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,128}$",
        description="Sent again under the same key, a request takes effect once and gets the same answer.",
    ),
]
Version = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern='^"(0|[1-9][0-9]{0,18})"$',
        description="The version that the request is meant for, in quotes; it is refused for another.",
    ),
]


@dataclass(frozen=True, slots=True)
class Sender:
    """One request that carries a command. `if_version` is the version that it is meant for."""

    request: Request
    key: str | None
    if_version: int | None

    def creation_id(self, collection: str) -> str:
        """The id of what this request creates in the collection, where it does not bring one."""
        return idempotency.creation_id(collection, f"{TENANT} {ACTOR}", self.key)

    async def create(self, command: Command, path: str, body: BaseModel) -> Outcome:
        """Sends a command that creates; any `If-Match` refuses it. Raises Problem."""
        condition = None if self.if_version is None else _NO_VERSION
        return await self._send(command, path, body, condition)

    async def send(self, command: Command, path: str, body: BaseModel) -> Outcome:
        """Sends a command to what may exist. `path` is the canonical one, for the digest. Raises Problem."""
        return await self._send(command, path, body, self.if_version)

    async def _send(self, command: Command, path: str, body: BaseModel, condition: int | None) -> Outcome:
        name = type(command).__name__
        bind_contextvars(command=name)
        counted = metrics.of(self.request).commands
        try:
            outcome = await self._handle(command, idempotency.digest(self.request.method, path, body), condition)
        except Problem as refusal:
            counted.labels(name, refusal.rule).inc()
            raise
        except (DomainError, EventStoreError) as error:
            problem = problem_of(error)
            counted.labels(name, problem.rule).inc()
            raise problem from error
        what = "repeated" if outcome.repeated else "appended" if outcome.events else "unchanged"
        bind_contextvars(outcome=what, stream=outcome.stream, version=outcome.version, position=outcome.position)
        counted.labels(name, what).inc()
        return outcome

    async def _handle(self, command: Command, digest: str, condition: int | None) -> Outcome:
        connections: Connections = self.request.app.state.connections
        gate: Gate = self.request.app.state.commands
        seconds: int = self.request.app.state.settings.command_seconds
        decider = route(command)
        command_id = idempotency.command_id(stream_name(decider.category, command.aggregate_id), self.key)
        ends = asyncio.get_running_loop().time() + seconds
        async with gate:
            request = self._described(command_id, digest, condition)
            left = ends - asyncio.get_running_loop().time()
            return await connections.handler.handle(decider, command, request, seconds=left)

    def _described(self, command_id: UUID, digest: str, condition: int | None) -> CommandRequest:
        return CommandRequest(
            command_id=command_id,
            digest=digest,
            correlation_id=self.request.state.correlation_id,
            causation_id=command_id,
            actor=ACTOR,
            tenant=TENANT,
            time=datetime.now(UTC),
            if_version=condition,
        )


async def sender(
    request: Request,
    parameters: Annotated[NoParameters, Query()],
    idempotency_key: Key = None,
    if_match: Version = None,
) -> Sender:
    """The sender that the headers describe. Raises Problem `malformed` for a header that is repeated."""
    repeated = [name for name in ("Idempotency-Key", "If-Match") if len(request.headers.getlist(name)) > 1]
    if repeated:
        raise malformed([Fault(pointer=name, reason="is said more than once") for name in repeated])
    return Sender(request, idempotency_key, None if if_match is None else int(if_match.strip('"')))


Sending = Annotated[Sender, Depends(sender)]
