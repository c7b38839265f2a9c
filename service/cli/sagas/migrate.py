"""Has an instance go on with another version of its saga, by an event in its stream, and prints what came of it."""

import asyncio
from pathlib import Path
from typing import Any

import typer

from domain.saga import Saga
from infrastructure.sagas.errors import CodeMissing, NotMigratable, UnknownInstance
from infrastructure.sagas.migration import Migration
from infrastructure.terminal import print_json, print_line, require_output
from service.cli.operator_act import Act
from service.cli.sagas.instances import connected, instance_stream, request_of, saga_named, streams_of
from service.cli.surroundings import store_uri
from service.errors import NoInstance, NotMigrated
from service.history.sources import CODEC


def migrate_instance(data: Path, saga: str, instance: str, version: int, act: Act, *, as_json: bool) -> int:
    """Records it where the instance runs on another version.

    Raises BadParameter, NoInstance, NotMigrated, NoStore, SettingsError and what appending raises.
    """
    meant = saga_named(saga)
    stream = instance_stream(meant, instance)
    if version not in meant.versions:
        known = ", ".join(str(each) for each in meant.versions)
        raise typer.BadParameter(f"there is no version {version} of {saga}; there is {known}")
    require_output()
    before = asyncio.run(_migrated(store_uri(data), meant, stream, version, act))
    if before is not None:
        act.log("saga_migrated", saga=stream, version=version)
    if as_json:
        told = {"changed": before is not None, "version": version, "version_before": before}
        print_json({"type": saga, "id": instance, **told})
    else:
        print_line(f"{stream} {_said(version, before)}")
    return 0


async def _migrated(uri: str, saga: Saga[Any, Any], stream: str, version: int, act: Act) -> int | None:
    """The version that it ran on until now."""
    async with connected(uri) as client, streams_of(client) as streams:
        request = request_of(act, "SagaMigrated", stream)
        try:
            return await Migration(saga, streams, CODEC).migrate(stream, version, act.why or "", request)
        except UnknownInstance as error:
            raise NoInstance(stream) from error
        except (CodeMissing, NotMigratable) as error:
            raise NotMigrated(stream, str(error)) from error


def _said(version: int, before: int | None) -> str:
    if before is None:
        return f"runs on version {version} already"
    return f"goes on with version {version}; until now it ran on version {before}"
