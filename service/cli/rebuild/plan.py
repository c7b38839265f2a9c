"""`foldstream rebuild --dry-run`: what a rebuild would do now, found without changing anything."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.identity import known_identity
from infrastructure.eventstore.log import Log
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.pointer_store import PointerStore
from infrastructure.readmodels.pointers import Generation, Pointers
from infrastructure.readmodels.sizes import Sizes
from infrastructure.rebuilds.switch import why_not_rebuilt, wish_for
from infrastructure.terminal import print_line
from projections.projection import Projection
from service.cli.plurals import counted
from service.cli.projections.survey import survey
from service.cli.rebuild.progress_lines import print_document
from service.settings import Settings

_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class RebuildPlan:
    """`begun` where a generation was begun that the rebuild would go on with; `against` is why it would be refused.

    `end` is where the log ends, `bytes` about what the live generation takes; None where nobody can tell.
    """

    live: Generation | None
    generation: Generation
    begun: bool
    workers: int
    end: int
    bytes: int | None
    against: str | None


def print_plan(settings: Settings, projection: Projection[Any], workers: int, *, as_json: bool) -> int:
    """Prints it. Raises StoreUnavailable, RedisUnavailable."""
    plan = asyncio.run(_plan(settings, projection, workers))
    if as_json:
        print_document(_answer(projection, plan))
        return 0
    for line in _lines(projection, plan):
        print_line(line)
    return 0


async def _plan(settings: Settings, projection: Projection[Any], workers: int) -> RebuildPlan:
    async with survey(settings) as looking:
        [status] = await looking.look([projection])
        live = [each for each in status.generations if each.live]
        sizes = await looking.sizes(projection, live[0]) if live else []
    store, end = await _log(settings)
    pointers = _pointers(settings, projection)
    wish = wish_for(pointers, projection.version, store or "", settings.partitions)
    after = pointers.rebuilt(wish)
    assert after.rebuilding is not None
    against = why_not_rebuilt(pointers, projection.version)
    if against is None and status.pause is not None:
        against = f"it is paused {status.pause.described()}"
    return RebuildPlan(
        live=pointers.live,
        generation=after.rebuilding,
        begun=after == pointers,
        workers=min(workers, after.rebuilding.partitions),
        end=end,
        bytes=_bytes(sizes),
        against=against,
    )


async def _log(settings: Settings) -> tuple[str | None, int]:
    """The identity of the store, None where nobody has given it one, and where its log ends."""
    client = await command_client(settings.eventstore)
    try:
        log = Log(client)
        return await known_identity(log, _SECONDS), await log.end(_SECONDS)
    finally:
        await client.close()


def _pointers(settings: Settings, projection: Projection[Any]) -> Pointers:
    keys = ProjectionKeys(settings.namespace, projection.name, projection.version)
    with connect(settings.redis, keys.live) as connection:
        return PointerStore(connection, keys).read(connection)


def _bytes(sizes: list[Sizes]) -> int | None:
    known = [each.bytes for each in sizes if each.bytes is not None]
    return sum(known) if sizes and len(known) == len(sizes) else None


def _lines(projection: Projection[Any], plan: RebuildPlan) -> list[str]:
    live = "nothing is read now" if plan.live is None else f"generation {plan.live.number} is read now"
    number, partitions = plan.generation.number, plan.generation.partitions
    shared = f"{counted(partitions, 'partition')}, {plan.workers} of them at a time"
    what = f"a rebuild would go on with generation {number}" if plan.begun else f"a rebuild would begin {number}"
    said = [f"{projection.name}: {live}; {what}: {shared}, up to position {plan.end:,} of the log"]
    if plan.bytes is not None:
        said.append(
            f"{projection.name}: the live generation takes about {plan.bytes:,} bytes in Redis, which come twice"
        )
    if plan.against is not None:
        said.append(f"{projection.name}: it would be refused now: {plan.against}")
    return said


def _answer(projection: Projection[Any], plan: RebuildPlan) -> dict[str, Any]:
    return {
        "projection": projection.name,
        "live": plan.live and plan.live.number,
        "generation": plan.generation.number,
        "begun": plan.begun,
        "partitions": plan.generation.partitions,
        "workers": plan.workers,
        "end": plan.end,
        "bytes": plan.bytes,
        "against": plan.against,
    }
