"""Appends events by hand: asked about, under the expected version, with who and why in their metadata."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from infrastructure.eventstore.appender import Appended
from infrastructure.eventstore.errors import StoreUnavailable, WrongExpectedVersion
from infrastructure.eventstore.record import NewRecord
from infrastructure.history.proposed_events import ProposedEvent
from infrastructure.terminal import print_error, print_json, print_line
from service.cli.connections import connected, streams_of
from service.cli.plurals import counted
from service.cli.streams.aggregate_check import require_sensible
from service.cli.streams.proposal import Repair, proposed_of, require_users_stream
from service.cli.surroundings import store_uri
from service.cli.verbs import consented, require_consent
from service.errors import NotAppended

_SHOWN: Final = 5
_LONGEST: Final = 120
_SECONDS: Final = 10.0
_DECLINED: Final = 1


def append(data: Path, repair: Repair) -> int:
    """Asks, and appends. Raises BadParameter, as `proposed_of`, and what reading and appending raise."""
    require_users_stream(repair.stream)
    require_consent(yes=repair.yes)
    proposed = proposed_of(repair)
    uri = store_uri(data)
    asyncio.run(_require_expected(uri, repair))
    if repair.checked:
        require_sensible(uri, repair, proposed)
    if not repair.yes:
        _show(repair, proposed)
    what = f"Append {counted(len(proposed), 'event')} to {repair.stream}{_after(repair.expected)}?"
    if not consented(what, yes=repair.yes):
        return _DECLINED
    appended = asyncio.run(_appended(uri, repair, [each.record for each in proposed]))
    unchecked = {} if repair.checked else {"unchecked": True}
    told = {"stream": repair.stream, "events": len(proposed), "version": appended.version}
    repair.act.log("events_appended", **told, **unchecked)
    _tell(repair, len(proposed), appended)
    return 0


async def _require_expected(uri: str, repair: Repair) -> None:
    async with connected(uri) as client, streams_of(client, _SECONDS) as streams:
        newest = await streams.records(repair.stream, None, 1, backwards=True)
    found = newest[0].version if newest else None
    if found is not None and found != repair.expected:
        raise _raced(repair, found)


async def _appended(uri: str, repair: Repair, records: Sequence[NewRecord]) -> Appended:
    async with connected(uri) as client, streams_of(client, _SECONDS) as streams:
        try:
            return await streams.append(repair.stream, repair.expected, records)
        except WrongExpectedVersion as error:
            raise _raced(repair, error.current) from error
        except StoreUnavailable as error:
            again = "sent again with the same --expected, it takes place once at most"
            raise NotAppended(
                repair.stream, f"it is not known whether it was appended: {error.reason}; {again}"
            ) from error


def _raced(repair: Repair, current: int | None) -> NotAppended:
    """`current` is None where no event is there."""
    found = "there is no such stream" if current is None else f"it is at version {current}"
    expected = "none" if repair.expected < 0 else f"version {repair.expected}"
    return NotAppended(repair.stream, f"{found}, and {expected} was expected; nothing was appended")


def _show(repair: Repair, proposed: Sequence[ProposedEvent]) -> None:
    for each in proposed[:_SHOWN]:
        data = each.record.data.decode("utf-8", "replace")
        print_error(f"{each.record.type} {data if len(data) <= _LONGEST else f'{data[:_LONGEST]}…'}")
    if len(proposed) > _SHOWN:
        print_error(f"… and {len(proposed) - _SHOWN:,} more")


def _tell(repair: Repair, number: int, appended: Appended) -> None:
    first = appended.version - number + 1
    if repair.as_json:
        position = None if appended.position is None else str(appended.position)
        told = {"stream": repair.stream, "events": number, "first_version": first, "version": appended.version}
        print_json({**told, "position": position})
    else:
        versions = f"version {first}" if number == 1 else f"versions {first} to {appended.version}"
        print_line(f"Appended {counted(number, 'event')} to {repair.stream}: {versions}.")


def _after(expected: int) -> str:
    return ", which is to begin with them," if expected < 0 else f" after version {expected}"
