"""Prints blocked streams, skipped events, and what has become of them."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from infrastructure.eventstore.errors import StreamGone
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.record import Record
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.skips import Skip
from infrastructure.terminal import print_error, print_json, print_line
from infrastructure.times import time_text
from projections.projection import Projection
from service.cli.poison import answers
from service.cli.poison.blocked_at import BlockedAt
from service.cli.poison.desk import Look, desk
from service.cli.poison.outcomes import Outcome
from service.errors import NotBlocked
from service.settings import Settings
from service.tables import print_long_table, print_table
from service.workers.projections import deployment_of

_COLUMNS: Final = (
    "projection", "generation", "stream", "version", "event", "position", "since", "tries", "waiting", "reason",
)  # fmt: skip
_SKIP_COLUMNS: Final = ("projection", "stream", "version", "event id", "since", "by", "why")
_SHOWN: Final = 120  # characters of a reason in a table
_DATA_SHOWN: Final = 2_000


def print_blocked(settings: Settings, projections: Sequence[Projection[Any]], *, as_json: bool) -> int:
    """Prints which streams are blocked. Raises StoreUnavailable, and BlocksUnreadable where none can be read."""

    async def look() -> Look:
        async with desk(settings) as looking:
            return await looking.look(projections)

    found, unreadable = asyncio.run(look())
    if len(unreadable) == len(projections):
        raise unreadable[0]
    if as_json:
        print_json({
            "blocked": [answers.blocked_answer(each) for each in found],
            "unreadable": [{"projection": each.projection, "reason": each.reason} for each in unreadable],
        })  # fmt: skip
        return 0
    for each in unreadable:
        print_error(str(each))
    if found:
        print_long_table(_COLUMNS, map(_row, found))
    else:
        print_line("No stream is blocked.")
    return 0


def print_skips(settings: Settings, projections: Sequence[Projection[Any]], *, as_json: bool) -> int:
    """Prints which events are skipped. Raises StoreUnavailable."""
    watch = SkipWatch(deployment_of(settings))
    try:
        standing = [watch.of(projection.name).standing for projection in projections]
    finally:
        watch.close()
    skips = [skip for streams in standing for own in streams.values() for skip in own.values()]
    if as_json:
        print_json({"skips": [answers.skip_answer(skip) for skip in skips]})
    elif skips:
        print_long_table(_SKIP_COLUMNS, map(_skip_row, skips))
    else:
        print_line("No event is skipped.")
    return 0


def print_one(settings: Settings, projection: Projection[Any], stream: str, *, as_json: bool) -> int:
    """Prints all that is known of a blocked stream. Raises NotBlocked, BlocksUnreadable, StoreUnavailable."""

    async def look() -> list[BlockedAt]:
        async with desk(settings) as looking:
            return await looking.blocked(projection)

    blocked = next((each for each in asyncio.run(look()) if each.stream == stream), None)
    if blocked is None:
        raise NotBlocked(projection.name, stream)
    record = _record_of(settings, blocked)
    if as_json:
        print_json(answers.shown_answer(blocked, record))
        return 0
    print_line(f"{stream} waits in {projection.name}, generation {blocked.generation}, partition {blocked.partition}")
    print_table(("", ""), _described(blocked, record))
    for line in _advice(blocked):
        print_line(line)
    return 0


def print_retries(projection: str, tried: Sequence[tuple[BlockedAt, Outcome]], *, as_json: bool) -> None:
    """Prints what has become of each of these streams."""
    if as_json:
        streams = [{"stream": each.stream, **answers.outcome_answer(outcome)} for each, outcome in tried]
        print_json({"projection": projection, "streams": streams})
    elif not tried:
        print_line(f"No stream is blocked in {projection}.")
    else:
        print_long_table(("stream", "outcome"), ((each.stream, outcome.described()) for each, outcome in tried))


def print_outcome(word: Skip, outcome: Outcome | None, *, skipped: bool, as_json: bool) -> None:
    """Prints what has become of an event that is skipped, or counts again; None: nothing was to be done."""
    if as_json:
        print_json(answers.word_answer(word, outcome, skipped=skipped))
        return
    event = f"version {word.version} of {word.stream}"
    if outcome is None:
        already = f"was skipped already, {word.described()}" if skipped else "is not skipped"
        print_line(f"{event} {already}, in {word.projection}")
    else:
        print_line(f"{event} {'is skipped' if skipped else 'counts again'} in {word.projection}: {outcome.described()}")


def _record_of(settings: Settings, blocked: BlockedAt) -> Record | None:
    """The event as it is stored; None where it, or its stream, is gone."""
    with open_reader(settings.eventstore) as reader:
        try:
            records = reader.page(blocked.stream, blocked.block.version, 1) or ()
        except StreamGone:
            return None
    return next((record for record in records if record.id == blocked.block.event_id), None)


def _row(blocked: BlockedAt) -> tuple[str, ...]:
    block = blocked.block
    return (
        blocked.projection.name,
        f"{blocked.generation} {blocked.role}",
        blocked.stream,
        str(block.version),
        block.event_type,
        str(block.position),
        time_text(block.since),
        f"{block.tries:,}",
        f"{block.waiting:,}",
        _shortened(block.reason, _SHOWN),
    )


def _skip_row(skip: Skip) -> tuple[str, ...]:
    told = (skip.projection, skip.stream, str(skip.version), str(skip.event_id))
    return *told, time_text(skip.at), skip.actor, skip.why


def _described(blocked: BlockedAt, record: Record | None) -> list[tuple[str, str]]:
    block = blocked.block
    data = "the event store has it no more" if record is None else answers.data_text(record, _DATA_SHOWN)
    return [
        ("event", f"{block.event_type}, version {block.version}, at position {block.position}"),
        ("event id", str(block.event_id)),
        ("error", f"{block.error}: {block.reason}"),
        ("since", time_text(block.since)),
        ("tries", f"{block.tries:,}"),
        ("waiting", f"{block.waiting:,} behind it"),
        ("data", data),
    ]


def _advice(blocked: BlockedAt) -> list[str]:
    name, version = blocked.projection.name, blocked.block.version
    return [
        "Its worker tries it again, ever more rarely. To have it tried now:",
        f"  foldstream poison retry {name} {blocked.stream}",
        f"Skipped, version {version} counts as absent in every fold of {name}, and what waits is folded without it:",
        f"  foldstream poison skip {name} {blocked.stream} --version {version} --why TEXT",
        "`foldstream poison unskip` takes a skip back.",
    ]


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
