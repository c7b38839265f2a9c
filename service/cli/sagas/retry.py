"""Has an instance that stopped go on, by an event in its stream, and prints what came of it."""

import asyncio
from pathlib import Path
from typing import Any

from domain.engine_events import SagaStopped
from infrastructure.sagas.errors import UnknownInstance
from infrastructure.sagas.quarantine import Quarantine
from infrastructure.terminal import print_json, print_line, require_output
from service.cli.operator_act import Act
from service.cli.sagas.instances import connected, instance_stream, request_of, saga_named, streams_of
from service.cli.surroundings import store_uri
from service.errors import NoInstance
from service.history.sources import CODEC


def retry_instance(data: Path, saga: str, instance: str, act: Act, *, as_json: bool) -> int:
    """Records it where the instance stands still.

    Raises BadParameter, NoInstance, NoStore, SettingsError and what appending raises.
    """
    stream = instance_stream(saga_named(saga), instance)
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


async def _resumed(uri: str, stream: str, act: Act) -> SagaStopped | None:
    """Where it stood until now."""
    async with connected(uri) as client, streams_of(client) as streams:
        request = request_of(act, "SagaResumed", stream)
        try:
            return await Quarantine(streams, CODEC).resume(stream, act.why or "", request)
        except UnknownInstance as error:
            raise NoInstance(stream) from error


def _answer(stopped: SagaStopped | None) -> dict[str, Any] | None:
    if stopped is None:
        return None
    place = {"stream": stopped.stream, "version": stopped.version, "position": stopped.position}
    return {"message_id": stopped.message_id, **place, "error": stopped.error}


def _said(stopped: SagaStopped | None) -> str:
    if stopped is None:
        return "does not stand still"
    return f"goes on; it stood at version {stopped.version} of {stopped.stream}: {stopped.error}"
