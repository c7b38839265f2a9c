"""Prints which instances of sagas there are and what happened to one of them, for people or as JSON."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, get_args

import typer

from infrastructure.terminal import print_json, print_line, require_output
from infrastructure.times import time_text
from projections.saga_instance import SagaInstance, Status
from service.cli.sagas.commands import ListOptions
from service.cli.sagas.instances import instance_stream, saga_named
from service.cli.sagas.status_reader import instance_with_timeline, instances
from service.cli.surroundings import both_servers
from service.sagas.instance_lists import Asked
from service.sagas.shapes import SagaAnswer, in_list, moment_answer
from service.sagas.timelines import first_version_of
from service.tables import print_table

_COLUMNS: Final = ("type", "id", "status", "step", "version", "started", "changed", "deadline", "reason")
_MOMENTS: Final = ("at", "kind", "step", "detail", "by", "event")


def print_instances(options: ListOptions) -> int:
    """Prints those that are asked for. Raises BadParameter, NoStore, NoRedis, SettingsError and what reading raises."""
    saga = None if options.saga is None else saga_named(options.saga)
    status = None if options.status is None else _status(options.status)
    before = None if options.older_than is None else datetime.now(UTC) - options.older_than
    asked = Asked(status, options.step, None, before, options.limit)
    require_output()
    found = asyncio.run(instances(both_servers(options.data), options.tenant, saga, asked))
    told = [in_list(each) for each in found.instances]
    if options.as_json:
        print_json({"sagas": [each.model_dump(mode="json") for each in told], "more": found.next is not None})
        return 0
    print_table(_COLUMNS, [(each.type, *_row(instance)) for each, instance in zip(told, found.instances, strict=True)])
    if found.next is not None:
        print_line(f"There are more: --limit {options.limit} shows the latest.")
    return 0


def print_instance(data: Path, name: str, key: str, tenant: str, *, as_json: bool) -> int:
    """Prints an instance and its timeline. Raises as `print_instances`, and NoInstance."""
    saga = saga_named(name)
    stream = instance_stream(saga, key, tenant)
    require_output()
    instance, moments = asyncio.run(instance_with_timeline(both_servers(data), saga, stream))
    first, summary = first_version_of(instance), in_list(instance).model_dump()
    told = SagaAnswer(**summary, first_version=first, timeline=[moment_answer(each) for each in moments])
    if as_json:
        print_json(told.model_dump(mode="json"))
        return 0
    print_table(("field", "value"), [(field, _text(value)) for field, value in summary.items()])
    print_line("")
    if first > 0:
        print_line(f"From version {first} on; what came before: foldstream history {instance.stream}")
    moments_told = [(each.at, each.kind, each.step, each.detail, each.by, each.event_id) for each in moments]
    print_table(_MOMENTS, [[_text(value) for value in moment] for moment in moments_told])
    return 0


def _row(instance: SagaInstance) -> Sequence[str]:
    told = (instance.step, instance.version, instance.started_at, instance.updated_at, instance.deadline)
    return [_text(value) for value in (instance.id, instance.status, *told, instance.reason)]


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return time_text(value) if isinstance(value, datetime) else str(value)


def _status(text: str) -> Status:
    known: tuple[Status, ...] = get_args(Status)
    for status in known:
        if status == text:
            return status
    raise typer.BadParameter(f"there is no status {text!r}; there is {', '.join(known)}")
