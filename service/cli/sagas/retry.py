"""Has an instance that stopped go on, by an event in its stream, and prints what came of it."""

import asyncio
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import typer

from domain.engine_events import SagaStopped
from domain.stream_name import DEFAULT_TENANT, stream_name
from infrastructure.commands.request import Request
from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.streams import Streams
from infrastructure.sagas.errors import UnknownInstance
from infrastructure.sagas.quarantine import Quarantine
from infrastructure.terminal import print_json, print_line, require_output
from service.cli.operator_act import Act
from service.cli.surroundings import store_uri
from service.consumers import SAGAS
from service.errors import NoInstance
from service.history.sources import CODEC


def retry_instance(data: Path, saga: str, instance: str, act: Act, *, as_json: bool) -> int:
    """Records it where the instance stands still.

    Raises BadParameter, NoInstance, NoStore, SettingsError and what appending raises.
    """
    stream = _stream_of(saga, instance)
    require_output()
    stopped = asyncio.run(_resumed(store_uri(data), stream, act))
    if stopped is not None:
        act.log("saga_resumed", saga=stream)
    if as_json:
        changed = stopped is not None
        print_json({"type": saga, "id": instance, "changed": changed, "stopped": _answer(stopped)})
    else:
        print_line(f"{stream} {_said(stopped)}")
    return 0


def _stream_of(saga: str, instance: str) -> str:
    known = [each.category for each in SAGAS]
    if saga not in known:
        raise typer.BadParameter(f"there is no saga {saga!r}; there is {', '.join(known)}")
    try:
        return stream_name(saga, instance)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


async def _resumed(uri: str, stream: str, act: Act) -> SagaStopped | None:
    """Where it stood until now."""
    client = await command_client(uri)
    streams = Streams(client, CODEC)
    try:
        return await Quarantine(streams, CODEC).resume(stream, act.why or "", _request(stream, act))
    except UnknownInstance as error:
        raise NoInstance(stream) from error
    finally:
        await streams.close()
        await client.close()


def _request(stream: str, act: Act) -> Request:
    own_id = uuid4()
    digest = sha256(f"SagaResumed {stream} {act.why}".encode()).hexdigest()
    return Request(own_id, digest, own_id, own_id, act.actor, DEFAULT_TENANT, datetime.now(UTC))


def _answer(stopped: SagaStopped | None) -> dict[str, Any] | None:
    if stopped is None:
        return None
    place = {"stream": stopped.stream, "version": stopped.version, "position": stopped.position}
    return {"message_id": stopped.message_id, **place, "error": stopped.error}


def _said(stopped: SagaStopped | None) -> str:
    if stopped is None:
        return "does not stand still"
    return f"goes on; it stood at version {stopped.version} of {stopped.stream}: {stopped.error}"
