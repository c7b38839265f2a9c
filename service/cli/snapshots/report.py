"""Lists snapshots, drops them or takes them anew, and prints the result."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.streams import Streams
from infrastructure.history.records import Records
from infrastructure.snapshots.store import SnapshotStore
from service.cli.operator_act import Act
from service.cli.progress import ProgressLine
from service.cli.snapshots import tables
from service.cli.snapshots.retake import Retaken, retake
from service.cli.snapshots.selection import Selection, has_rule, last_versions, rule_of, streams_with_snapshots
from service.cli.snapshots.survey import SnapshotStatus, Summary, survey
from service.errors import SnapshotsNotTaken, WithoutSnapshots
from service.history.hints import exists_beside, with_hint
from service.history.sources import CODEC

ResultT = TypeVar("ResultT")


def list_snapshots(uri: str, selection: Selection, behind: int, *, as_json: bool) -> int:
    """Prints the snapshots that are at least `behind` events behind their streams, and a summary of all.

    Raises WithoutSnapshots, UnknownStream, StoreUnavailable.
    """
    summary = Summary()
    versions = _versions(uri, selection)
    due = _due(versions, selection)
    summary.add_short(len(versions) - len(due))

    async def look(streams: Streams) -> list[SnapshotStatus]:
        listed = []
        async for status in survey(SnapshotStore(streams), due):
            summary.add(status)
            if status.behind >= behind:
                listed.append(status)
        return listed

    tables.print_statuses(_at(uri, look), summary, as_json=as_json)
    return 0


def due_versions(uri: str) -> dict[str, int]:
    """The last version of each stream that is long enough for a snapshot. Raises StoreUnavailable."""
    selection = Selection()
    return _due(_versions(uri, selection), selection)


def streams_to_drop(uri: str, selection: Selection) -> list[str]:
    """The streams whose snapshots are to be dropped. Raises WithoutSnapshots, UnknownStream, StoreUnavailable."""
    if selection.names:
        return _named(uri, selection)
    with open_reader(uri) as reader:
        return streams_with_snapshots(reader, selection.all_categories)


def drop_snapshots(uri: str, names: list[str], act: Act, *, as_json: bool) -> int:
    """Drops all that is stored beside these streams. Raises StoreUnavailable, WrongExpectedVersion."""

    async def work(streams: Streams) -> list[str]:
        stored = SnapshotStore(streams)
        return [stream for stream in names if await stored.drop(stream, act.metadata())]

    dropped = _at(uri, work)
    act.log("snapshots_dropped", streams=len(dropped))
    tables.print_dropped(dropped, as_json=as_json)
    return 0


def streams_to_retake(uri: str, selection: Selection, *, missing: bool) -> list[str]:
    """The streams whose snapshots are to be taken; with `missing`, only those where there is none of use.

    Raises WithoutSnapshots, UnknownStream, StoreUnavailable.
    """
    due = _due(_versions(uri, selection), selection)

    async def look(streams: Streams) -> list[str]:
        return [each.stream async for each in survey(SnapshotStore(streams), due) if each.is_miss]

    return _at(uri, look) if missing else list(due)


def retake_snapshots(uri: str, names: list[str], act: Act, *, as_json: bool) -> int:
    """Takes snapshots of these streams from their events alone. Raises SnapshotsNotTaken, StoreUnavailable."""

    async def work(streams: Streams) -> list[Retaken]:
        with ProgressLine("snapshots") as progress:
            return [await retake(streams, stream) for stream in progress.counted(names, "streams", len(names))]

    retaken = _at(uri, work)
    failed = [each for each in retaken if each.result != "taken"]
    act.log("snapshots_retaken", streams=len(retaken) - len(failed), failed=len(failed))
    tables.print_retaken(retaken, as_json=as_json)
    if failed:
        raise SnapshotsNotTaken(len(failed), len(retaken))
    return 0


def _versions(uri: str, selection: Selection) -> dict[str, int]:
    """The last version of each stream that is asked for."""
    names = _named(uri, selection)
    with open_reader(uri) as reader:
        if names:
            return {stream: Records(reader, stream).last().version for stream in names}
        return last_versions(reader, selection.all_categories)


def _named(uri: str, selection: Selection) -> list[str]:
    """The streams that were named. Raises WithoutSnapshots, and UnknownStream for an id without its category."""
    try:
        return selection.streams
    except WithoutSnapshots as error:
        with open_reader(uri) as reader:
            exists = exists_beside(Records(reader, error.stream))
            raise with_hint(error, error.stream, lambda name: has_rule(name) and exists(name)) from error


def _due(versions: Mapping[str, int], selection: Selection) -> dict[str, int]:
    """Those that were named, or are long enough."""
    if selection.names:
        return dict(versions)
    return {stream: version for stream, version in versions.items() if version + 1 >= rule_of(stream).every}


def _at(uri: str, work: Callable[[Streams], Awaitable[ResultT]]) -> ResultT:
    async def run() -> ResultT:
        client = await command_client(uri)
        try:
            return await work(Streams(client, CODEC))
        finally:
            await client.close()

    return asyncio.run(run())
