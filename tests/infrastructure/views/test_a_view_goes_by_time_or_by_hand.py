"""A view goes when its time is over, or when it is dropped: all of its keys, and nobody else takes them away."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from infrastructure.readmodels.generations import Generations
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.queries import ReadModels
from infrastructure.views.definition import GRACE_MS, ViewDefinition
from infrastructure.views.errors import UnknownView
from infrastructure.views.partition_build import build_partitions
from infrastructure.views.removal import held_keys, unlink
from tests.infrastructure.readmodels.tallies import raises
from tests.infrastructure.readmodels.workers import followed_tallies
from tests.infrastructure.views.album import Album
from tests.infrastructure.views.told_log import ToldLog
from tests.support.polling import poll_until

HOUR = 3_600_000


def keys_of(connection: redis.Redis, album: Album, beginning: str = "view") -> set[str]:
    """Those of the namespace whose names say that they are a view's."""
    found: list[bytes] = list(connection.scan_iter(match=f"{{{album.deployed.namespace}:*", count=1_000))
    return {key.decode() for key in found if f":{beginning}" in key.decode()}


def partitions(album: Album, view: ViewDefinition) -> list[PartitionKeys]:
    return [view.keys(album.deployed.namespace, number) for number in range(view.partitions)]


@pytest.mark.parametrize("album", [1, 4], indirect=True)
def test_every_key_of_it_expires_the_definition_first(album: Album, log: ToldLog, connection: redis.Redis) -> None:
    Album(album.deployed, raises(album.projection.category)).make("old", HOUR)
    view = album.make("old", HOUR, to_position=log.written[60].position)
    definition = ProjectionKeys(album.deployed.namespace, album.projection.name).view("old")
    assert connection.pexpiretime(definition) == view.expires_at
    ends: Any = {key: connection.pexpiretime(key) for key in keys_of(connection, album)}
    assert len(ends) > 10
    soon = {key: end for key, end in ends.items() if not key.endswith(("status", "view:old", "views"))}
    assert {abs(end - view.expires_at - GRACE_MS) < 60_000 for end in soon.values()} == {True}
    assert {key for key, end in ends.items() if end <= 0} == set()


def end_time(connection: redis.Redis, album: Album, name: str) -> None:
    """It expires now."""
    assert connection.pexpire(ProjectionKeys(album.deployed.namespace, album.projection.name).view(name), 1)


def test_once_its_time_is_over_nobody_knows_it(album: Album, log: ToldLog, connection: redis.Redis) -> None:
    album.make("short", HOUR)
    assert album.rows("short", log.tallies) == log.rows(2**62)
    end_time(connection, album, "short")
    poll_until(lambda: not album.known(), seconds=10, what="the end of the view")
    with pytest.raises(UnknownView, match=r"there is no view short$"):
        album.rows("short", log.tallies)


def test_a_name_may_be_used_again(album: Album, log: ToldLog, connection: redis.Redis) -> None:
    first = album.make("again", HOUR, to_position=log.written[10].position)
    end_time(connection, album, "again")
    poll_until(lambda: not album.known(), seconds=10, what="the end of the view")
    second = album.make("again", to_position=log.written[70].position)
    assert second.number != first.number
    assert album.rows("again", log.tallies) == log.rows(log.written[70].position)


@pytest.mark.parametrize("album", [1, 4], indirect=True)
def test_dropped_it_leaves_no_key(album: Album, log: ToldLog, connection: redis.Redis) -> None:
    Album(album.deployed, raises(album.projection.category)).make("other")
    before = keys_of(connection, album)
    view = album.make("gone", to_position=log.written[60].position)
    held = sum(held_keys(connection, each) for each in partitions(album, view))
    album.catalog(lambda catalog: catalog.remove(view))
    removed = sum(unlink(connection, each) for each in partitions(album, view))
    assert removed == held > 5
    assert keys_of(connection, album) - {f"{{{album.deployed.namespace}:tallies}}:views"} == before
    with pytest.raises(UnknownView):
        album.rows("gone", log.tallies)


def test_dropped_while_it_is_read_it_is_unknown_and_never_half(
    album: Album, log: ToldLog, connection: redis.Redis
) -> None:
    view, whole = album.make("read"), log.rows(2**62)
    asked = 0

    async def question(models: ReadModels) -> None:
        nonlocal asked
        while True:
            rows = await models.rows(album.projection, log.tallies)
            assert {each: row for each, row in zip(log.tallies, rows, strict=True) if row is not None} == whole
            asked += 1

    def drop() -> None:
        poll_until(lambda: asked > 3, seconds=20, what="some answers")
        album.catalog(lambda catalog: catalog.remove(view))
        for each in partitions(album, view):
            unlink(connection, each)

    with ThreadPoolExecutor(1) as pool:
        dropping = pool.submit(drop)
        with pytest.raises(UnknownView):
            album.ask("read", question)
        dropping.result(20)


def test_no_sweep_takes_it_for_a_generation(album: Album, log: ToldLog, connection: redis.Redis) -> None:
    with followed_tallies(album.deployed, album.projection.category) as projection:
        view = album.make("kept", to_position=log.written[60].position)
        before = keys_of(connection, album)
        generations = Generations(connection, album.deployed.namespace, projection.name)
        generations.sweep([Generation(10**15, 1, view.store)])
        assert keys_of(connection, album) == before
    assert album.rows("kept", log.tallies) == log.rows(log.written[60].position)


def test_what_was_killed_and_never_gone_on_with_goes_too(album: Album, log: ToldLog, connection: redis.Redis) -> None:
    def killed(view: ViewDefinition, wait: object) -> None:
        build_partitions(album.deployed, album.projection, view, [0])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        album.make_by(killed, "half", HOUR)
    assert [connection.pexpiretime(key) <= 0 for key in keys_of(connection, album)].count(True) == 0
