"""In a view an event that can't be folded blocks its stream alone, and one that is skipped is absent."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import redis

from infrastructure.readmodels.answers import RowAtPosition
from infrastructure.readmodels.errors import ReadModelBehind
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.skips import Skip
from infrastructure.readmodels.texts import text_of
from infrastructure.views.definition import ViewDefinition
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.tallies import Opened, Raised, Unheard
from tests.infrastructure.views.album import Album
from tests.support.positions import at

LOWERED = Raised(by=-1)


def totals(album: Album, name: str, tallies: list[str]) -> dict[str, int]:
    return {tally: row.total for tally, row in album.rows(name, tallies).items()}


def blocked(connection: redis.Redis, album: Album, view: ViewDefinition) -> set[str]:
    """The tallies that are blocked in it."""
    keys = [view.keys(album.deployed.namespace, number).blocked for number in range(view.partitions)]
    return {text_of(tally) for key in keys for tally in connection.hkeys(key)}


def test_what_fails_or_is_unknown_blocks_its_stream_alone(
    album: Album, connection: redis.Redis, eventstore_uri: str, category: str
) -> None:
    failing, unknown, sound = new_tallies(3)
    with Logbook(eventstore_uri, category) as log:
        log.write(failing, Opened(owner="ann"), Raised(by=3), LOWERED, Raised(by=4))
        log.write(unknown, Opened(owner="ann"), Unheard(), Raised(by=5))
        log.write(sound, Opened(owner="ann"), Raised(by=7))
    view = album.make("blocked")
    assert totals(album, "blocked", [failing, unknown, sound]) == {failing: 3, unknown: 0, sound: 7}
    assert blocked(connection, album, view) == {failing, unknown}


def test_after_its_end_nothing_blocks_it(
    album: Album, connection: redis.Redis, eventstore_uri: str, category: str
) -> None:
    [tally] = new_tallies(1)
    with Logbook(eventstore_uri, category) as log:
        end = log.write(tally, Opened(owner="ann"), Raised(by=3))
        log.write(tally, LOWERED)
    view = album.make("before", to_position=end)
    assert (totals(album, "before", [tally]), blocked(connection, album, view)) == ({tally: 3}, set())


def test_what_is_skipped_is_absent(album: Album, connection: redis.Redis, eventstore_uri: str, category: str) -> None:
    [tally] = new_tallies(1)
    with Logbook(eventstore_uri, category) as log:
        log.write(tally, Opened(owner="ann"), Raised(by=3), LOWERED, Raised(by=4))
    skipped(album, f"{category}-{tally}", 2)
    view = album.make("skipped")
    assert (totals(album, "skipped", [tally]), blocked(connection, album, view)) == ({tally: 7}, set())


def test_a_blocked_row_is_the_last_good_one_before_its_block(album: Album, eventstore_uri: str, category: str) -> None:
    [failing, unknown] = new_tallies(2)
    with Logbook(eventstore_uri, category) as log:
        log.write(failing, Opened(owner="ann"), Raised(by=3))
        block = log.write(failing, LOWERED)
        log.write(unknown, Unheard())
    album.make("blocked")

    def asked(tally: str, at_least: int | None = None) -> RowAtPosition[Any]:
        token = None if at_least is None else at(at_least)
        return album.ask("blocked", lambda models: models.get(album.projection, tally, at_least=token))

    found = asked(failing)
    assert (found.row.total if found.row else None, found.position) == (3, block - 1)
    with pytest.raises(ReadModelBehind) as behind:
        asked(failing, block)
    assert (behind.value.stream, behind.value.version) == (f"{category}-{failing}", 2)
    with pytest.raises(ReadModelBehind):
        asked(unknown)


def skipped(album: Album, stream: str, version: int) -> None:
    watch = SkipWatch(album.deployed)
    watch.skip(
        Skip(
            namespace=album.deployed.namespace,
            projection=album.projection.name,
            stream=stream,
            version=version,
            event_id=uuid4(),
            actor="cli:ann",
            why="it can't be",
            at=datetime.now(UTC),
        )
    )
    watch.close()
