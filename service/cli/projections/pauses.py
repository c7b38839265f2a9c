"""Pauses projections and lets them go on, by a record in the event store, and prints what came of it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.streams import Streams
from infrastructure.readmodels.pauses import Operation, record_operation
from infrastructure.terminal import print_json, print_line, require_output
from service.cli.operator_act import Act
from service.cli.projections.answers import pause_answer
from service.cli.surroundings import settings_at, store_uri
from service.history.sources import CODEC


def pause_or_resume(data: Path, projection: str, act: Act, *, paused: bool, as_json: bool) -> int:
    """Records it where it is not so yet. Raises NoStore, SettingsError and what appending raises."""
    require_output()
    operation = Operation(
        namespace=settings_at(data).namespace,
        projection=projection,
        actor=act.actor,
        why=act.why or "",
        at=datetime.now(UTC),
    )
    before = asyncio.run(_recorded(store_uri(data), operation, paused=paused))
    changed = (before is None) == paused
    if changed:
        act.log("projection_paused" if paused else "projection_resumed", projection=projection)
    if as_json:
        standing = (before or operation) if paused else None
        print_json({"projection": projection, "changed": changed, "paused": pause_answer(standing)})
    else:
        print_line(f"{projection} {_said(before, paused=paused)}")
    return 0


async def _recorded(uri: str, operation: Operation, *, paused: bool) -> Operation | None:
    """The pause that stood before."""
    client = await command_client(uri)
    streams = Streams(client, CODEC)
    try:
        return await record_operation(streams, operation, paused=paused)
    finally:
        await streams.close()
        await client.close()


def _said(before: Operation | None, *, paused: bool) -> str:
    if paused:
        return "is paused" if before is None else f"was paused already, {before.described()}"
    return "is not paused" if before is None else f"goes on; it was paused {before.described()}"
