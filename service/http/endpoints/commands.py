"""Sends the command of a request to its handler, under the caller's key and within bounds, and counts the outcome."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Header, Query, Request
from pydantic import BaseModel, StringConstraints
from structlog.contextvars import bind_contextvars

from domain.errors import DomainError
from domain.message import Command
from domain.stream_name import DEFAULT_TENANT, StreamName, stream_name
from infrastructure.commands.request import Outcome
from infrastructure.commands.request import Request as CommandRequest
from infrastructure.eventstore.errors import EventStoreError, StoreUnavailable, VersionMismatch
from infrastructure.readmodels.position_token import PositionToken, beginning_of
from infrastructure.sagas.errors import SagaError
from infrastructure.telemetry.spans import current_exemplar
from service.consumers import route
from service.http.connections import Connections
from service.http.endpoints import idempotency
from service.http.endpoints.consistency import Consistency
from service.http.endpoints.parameters import spelled
from service.http.middleware import metrics
from service.http.middleware.admission import only_owner
from service.http.middleware.callers import caller_of
from service.http.middleware.gate import Gate
from service.http.problems import Fault, Problem, malformed
from service.http.refusals import problem_of

_NO_VERSION: Final = 2**64  # no stream gets there, so that a creation for a certain version is always refused
Say: TypeAlias = Callable[[CommandRequest], Awaitable[Outcome]]
_Key = Annotated[
    str,
    StringConstraints(pattern=idempotency.KEY),
    spelled("should be 1 to 128 visible ASCII characters, none of them a space; quotes may stand around them"),
]
_Version = Annotated[
    str,
    StringConstraints(pattern='^"(0|[1-9][0-9]{0,18})"$'),
    spelled('should be one version in quotes, such as "3", of up to 19 digits and without leading zeros'),
]
Key = Annotated[
    _Key | None,
    Header(
        alias="Idempotency-Key",
        description="Sent again under the same key, a request takes effect once and gets the same answer.",
    ),
]
Version = Annotated[
    _Version | None,
    Header(
        alias="If-Match",
        description="The version that the request is meant for, in quotes; it is refused for another.",
    ),
]


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a command, and the token of its last event: the same for a repeat.

    `is_visible` unless the sender named a read model that had not come as far when the answer was due.
    """

    outcome: Outcome
    token: PositionToken
    is_visible: bool = True


@dataclass(frozen=True, slots=True)
class Sender:
    """One request that carries a command. `if_version` is the version that it is meant for, `consistency` says which
    read models are to show it.

    `former_keys` are the key as earlier releases may have stored it: with the quotes that it came with, without them.
    """

    request: Request
    key: str | None
    if_version: int | None
    consistency: Consistency
    former_keys: tuple[str, ...] = ()

    async def create(
        self, collection: str, given_id: str, command: Callable[[str], Command], body: BaseModel
    ) -> tuple[str, Sent]:
        """Sends the command that creates under an id: the given one, else that of the key. Any `If-Match` refuses it.

        Returns the id, too. Raises Problem.
        """
        caller, condition = caller_of(self.request), self.if_version
        new_id = given_id or idempotency.creation_id(collection, caller, self.key)
        sends = [(command(new_id), None if condition is None else _NO_VERSION)]
        if not given_id and caller.tenant == DEFAULT_TENANT:  # a repeat is found at any version; nothing else happens
            former = idempotency.former_creation_ids(collection, self.former_keys)
            sends[:0] = [(command(former_id), _NO_VERSION) for former_id in former]
        sent = await self._send(sends, f"/{collection}", body)
        return StreamName.parse(sent.outcome.stream).id, sent

    async def send(self, command: Command, path: str, body: BaseModel) -> Sent:
        """Sends a command to what may exist. `path` is the canonical one, for the digest. Raises Problem."""
        return await self._send([(command, self.if_version)], path, body)

    async def say(self, name: str, stream: str, say: Say, path: str, body: BaseModel) -> Sent:
        """Says a word to a saga's instance, that of this stream; `name` is what is counted. Raises Problem."""
        digest = idempotency.digest(self.request.method, path, body)
        return await self._counted(name, self._said(stream, say, digest))

    async def _send(self, sends: Sequence[tuple[Command, int | None]], path: str, body: BaseModel) -> Sent:
        digest = idempotency.digest(self.request.method, path, body)
        return await self._counted(type(sends[-1][0]).__name__, self._first_of(sends, digest))

    async def _counted(self, name: str, sending: Awaitable[Sent]) -> Sent:
        bind_contextvars(command=name)
        measured = metrics.of(self.request)
        counted, began = measured.commands, perf_counter()
        try:
            sent = await sending
        except Problem as refusal:
            counted.labels(name, refusal.rule).inc()
            raise
        except (DomainError, EventStoreError, SagaError) as error:
            problem = problem_of(error)
            counted.labels(name, problem.rule).inc()
            raise problem from error
        finally:
            measured.command_seconds.labels(name).observe(perf_counter() - began, current_exemplar())
        outcome = sent.outcome
        bind_contextvars(
            outcome=outcome.effect, stream=outcome.stream, version=outcome.version, position=outcome.position
        )
        counted.labels(name, outcome.effect).inc()
        state = self.request.app.state
        is_visible = await self.consistency.is_reached(
            sent.token, outcome.stream, state.connections, state.waiting_queries
        )
        return replace(sent, is_visible=is_visible)

    async def _first_of(self, sends: Sequence[tuple[Command, int | None]], digest: str) -> Sent:
        """The outcome of the first of these commands, each for a version, that is not refused; else of the last."""
        *former, (command, condition) = sends
        for earlier in former:
            with suppress(DomainError, VersionMismatch):
                return await self._handle(*earlier, digest)
        return await self._handle(command, condition, digest)

    async def _handle(self, command: Command, condition: int | None, digest: str) -> Sent:
        connections: Connections = self.request.app.state.connections
        gate: Gate = self.request.app.state.commands
        seconds: int = self.request.app.state.settings.command_seconds
        decider = route(command)
        stream = stream_name(decider.category, command.aggregate_id, caller_of(self.request).tenant)
        ends = asyncio.get_running_loop().time() + seconds
        async with gate.place(caller_of(self.request).tenant):
            request = self._described(stream, digest, condition)
            left = ends - asyncio.get_running_loop().time()
            outcome = await connections.handler.handle(decider, command, request, seconds=left)
            return Sent(outcome, await _token(outcome, connections, ends))

    async def _said(self, stream: str, say: Say, digest: str) -> Sent:
        connections: Connections = self.request.app.state.connections
        gate: Gate = self.request.app.state.commands
        seconds: int = self.request.app.state.settings.command_seconds
        ends = asyncio.get_running_loop().time() + seconds
        connections.circuit.require_closed()
        async with gate.place(caller_of(self.request).tenant):
            try:
                async with asyncio.timeout_at(ends):
                    outcome = await say(self._described(stream, digest, self.if_version))
            except TimeoutError as error:
                raise StoreUnavailable(connections.store_address, f"nothing came of it within {seconds} s") from error
            return Sent(outcome, await _token(outcome, connections, ends))

    def _described(self, stream: str, digest: str, condition: int | None) -> CommandRequest:
        caller = caller_of(self.request)
        command_id = idempotency.command_id(stream, caller.subject, self.key)
        return CommandRequest(
            command_id=command_id,
            digest=digest,
            correlation_id=self.request.state.correlation_id,
            causation_id=command_id,
            actor=caller.subject,
            tenant=caller.tenant,
            time=datetime.now(UTC),
            if_version=condition,
            former_ids=idempotency.former_command_ids(stream, self.former_keys),
            owned_by=only_owner(self.request),
        )


async def _token(outcome: Outcome, connections: Connections, ends: float) -> PositionToken:
    """Raises StoreUnavailable where the store does not say in time which one it is."""
    try:
        async with asyncio.timeout_at(ends):
            store = beginning_of(await connections.store_identity())
    except TimeoutError as error:
        raise StoreUnavailable(connections.store_address, "it did not say in time which one it is") from error
    event = None if outcome.last_id is None else beginning_of(outcome.last_id)
    return PositionToken(outcome.position, event, store)


async def sender(
    request: Request,
    consistency: Annotated[Consistency, Query()],
    idempotency_key: Key = None,
    if_match: Version = None,
) -> Sender:
    """The sender that the headers describe. Raises Problem `malformed` for a header that is repeated."""
    repeated = [name for name in ("Idempotency-Key", "If-Match") if len(request.headers.getlist(name)) > 1]
    if repeated:
        raise malformed([Fault(pointer=name, reason="is said more than once") for name in repeated])
    key = None if idempotency_key is None else idempotency.unquoted(idempotency_key)
    former_keys = tuple(dict.fromkeys(each for each in (key, idempotency_key) if each is not None))
    version = None if if_match is None else int(if_match.strip('"'))
    return Sender(request, key, version, consistency, former_keys)


Sending = Annotated[Sender, Depends(sender)]
