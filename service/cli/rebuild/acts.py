"""Rebuilds, rolls back and gives up as an operator says; prints how far it is and what came of it, and records it."""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from redis.exceptions import RedisError

from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.eventstore.streams import Streams
from infrastructure.readmodels.errors import ReadModelError
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.uri import address_in
from infrastructure.rebuilds.errors import RebuildError
from infrastructure.rebuilds.rebuild import Crewing, Flipped, Rebuild
from infrastructure.rebuilds.records import FlipRecord, FlipType, record_flip
from infrastructure.terminal import print_error, print_line, require_output
from projections.projection import Projection
from service.cli.operator_act import Act
from service.cli.rebuild.progress_lines import RebuildProgress, print_document
from service.cli.verbs import consented
from service.errors import NotRebuilt, RedisUnavailable
from service.history.sources import CODEC
from service.settings import Settings
from service.supervisor.programs import FOLDSTREAM
from service.workers.projections import deployment_of

_LOGGED: Final = {"ProjectionRebuilt": "projection_rebuilt", "ProjectionRolledBack": "projection_rolled_back"}


@dataclass(frozen=True, slots=True)
class Order:
    """What an operator wants done to which projection, on which servers; `data` is where their addresses are."""

    settings: Settings
    projection: Projection[Any]
    workers: int | None
    data: Path
    as_json: bool
    act: Act

    @property
    def name(self) -> str:
        """The projection's."""
        return self.projection.name


def rebuild(order: Order, *, keep: bool) -> int:
    """Raises NotRebuilt, RedisUnavailable, EventStoreError; the live generation is as it was then."""
    with _rebuilding(order) as made, _crewing(order) as crewing:
        flipped = made.run(crewing, keep=keep)
    return _told(order, flipped, "ProjectionRebuilt")


def roll_back(order: Order, *, yes: bool) -> int:
    """As `rebuild`."""
    if not consented(f"Go back to the generation of {order.name} that was kept?", yes=yes):
        return 1
    with _rebuilding(order) as made, _crewing(order) as crewing:
        flipped = made.roll_back(crewing)
    return _told(order, flipped, "ProjectionRolledBack")


def abort(order: Order, *, yes: bool) -> int:
    """Raises as `rebuild` does."""
    if not consented(f"Give up the rebuild of {order.name}, and unlink what it has folded?", yes=yes):
        return 1
    with _rebuilding(order) as made:
        generation, keys = made.abort()
    order.act.log("rebuild_aborted", projection=order.name, generation=generation.number, keys=keys)
    if order.as_json:
        print_document({"projection": order.name, "aborted": generation.number, "keys": keys})
    else:
        print_line(f"{order.name}: generation {generation.number} is given up, {keys:,} keys were unlinked")
    return 0


def workers_of(asked: int | None) -> int:
    """How many processes fold: as many as there are processors, where nobody says."""
    return asked or len(os.sched_getaffinity(0))


@contextmanager
def translated(order: Order) -> Iterator[None]:
    """Raises RedisUnavailable and NotRebuilt for what a rebuild raises."""
    try:
        yield
    except RedisError as error:
        raise RedisUnavailable(address_in(order.settings.redis), str(error) or type(error).__name__) from error
    except (RebuildError, ReadModelError) as error:
        reason = error.reason if isinstance(error, RebuildError) else error.detail
        raise NotRebuilt(order.name, reason) from error


@contextmanager
def _rebuilding(order: Order) -> Iterator[Rebuild]:
    require_output()
    with translated(order):
        yield Rebuild(order.projection, deployment_of(order.settings))


@contextmanager
def _crewing(order: Order) -> Iterator[Crewing]:
    lines = RebuildProgress(order.name, as_json=order.as_json)
    try:
        yield Crewing(workers_of(order.workers), partial(_command, order), lines.show)
    finally:
        lines.end()


def fold_command(order: Order, what: str, partitions: Sequence[int], pipe: int) -> Sequence[str]:
    """That of a process which folds these partitions, until SIGTERM or until the pipe closes."""
    numbers = (part for number in partitions for part in ("--partition", str(number)))
    place = ("--data", str(order.data), "--stop-when-closed", str(pipe))
    return (*FOLDSTREAM, "--log", "json", "rebuild", order.name, "--fold", what, *numbers, *place)


def _command(order: Order, generation: Generation, partitions: Sequence[int], pipe: int) -> Sequence[str]:
    return fold_command(order, generation.to_json(), partitions, pipe)


def _told(order: Order, flipped: Flipped, flip: FlipType) -> int:
    """Records, logs and prints that it is done."""
    number, before = flipped.generation.number, flipped.before.number if flipped.before else None
    order.act.log(_LOGGED[flip], projection=order.name, generation=number, before=before, kept=flipped.kept)
    record = FlipRecord(
        namespace=order.settings.namespace,
        projection=order.name,
        actor=order.act.actor,
        why=order.act.why or "",
        at=datetime.now(UTC),
        generation=number,
        before=before,
        kept=flipped.kept,
    )
    try:
        asyncio.run(_record(order.settings, lambda streams: record_flip(streams, flip, record)))
    except EventStoreError as error:
        print_error(f"{order.name}: it is done, and could not be recorded: {error}")
    if order.as_json:
        told = {"projection": order.name, "generation": number, "before": before, "kept": flipped.kept}
        print_document({**told, "blocked": flipped.blocked, "seconds": round(flipped.seconds, 1)})
    else:
        said = f"generation {number} is read now, after {flipped.seconds:,.0f} s"
        print_line(f"{order.name}: {said}{_of_before(flipped)}")
        if flipped.blocked:
            print_line(f"streams that wait: {flipped.blocked:,}; foldstream poison list {order.name} names them")
    return 0


def _of_before(flipped: Flipped) -> str:
    if flipped.before is None:
        return ""
    number = flipped.before.number
    return f"; generation {number} is kept" if flipped.kept else "; workers unlink what was read or kept before"


async def _record(settings: Settings, record: Callable[[Streams], Any]) -> None:
    client = await command_client(settings.eventstore)
    streams = Streams(client, CODEC)
    try:
        await record(streams)
    finally:
        await streams.close()
        await client.close()
