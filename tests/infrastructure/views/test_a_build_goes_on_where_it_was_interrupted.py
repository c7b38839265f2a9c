"""A build that was killed is gone on with by the next call for the same view; what stands against that is said."""

import random
from collections.abc import Callable
from functools import partial

import pytest
import redis

from infrastructure.readmodels.errors import NewerFormat, StoreReplaced
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.rebuilds.errors import LeaseHeld
from infrastructure.rebuilds.lease import RebuildLease
from infrastructure.views.definition import ViewDefinition
from infrastructure.views.errors import UnknownView, ViewExists, ViewLost
from infrastructure.views.partition_build import build_partitions
from infrastructure.views.view_build import Wait
from tests.infrastructure.readmodels.tallies import tallies
from tests.infrastructure.readmodels.workers import deployment
from tests.infrastructure.views.album import Album
from tests.infrastructure.views.builder import started
from tests.infrastructure.views.told_log import ToldLog
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.processes import Listened


def contents(connection: redis.Redis, album: Album, view: ViewDefinition) -> dict[str, object]:
    """All that a view holds, by keys without its name and number."""
    found: dict[str, object] = {}
    for number in range(view.partitions):
        keys = view.keys(album.deployed.namespace, number)
        for key in connection.scan_iter(match=f"{keys.prefix}*", count=1_000):
            name = f"{number} {key.decode().removeprefix(keys.prefix)}"
            if not name.endswith("status"):
                found[name] = connection.dump(key)
    return found


def test_killed_at_any_moment_it_ends_as_if_nothing_had_happened(
    album: Album, log: ToldLog, connection: redis.Redis
) -> None:
    position = log.written[-2].position
    whole = contents(connection, album, album.make("whole", to_position=position))
    draw, kills = random.Random(5), 0
    for attempt in range(2):
        name, goal = f"killed-{attempt}", draw.randrange(1, len(whole))
        process = started(album, name, to_position=position)
        kills += killed_at(process, partial(holds, connection, album, name, goal))
        expire_lease(connection, album, name)
        assert contents(connection, album, album.make(name, to_position=position)) == whole
        assert album.rows(name, log.tallies) == log.rows(position)
    assert kills > 0


def holds(connection: redis.Redis, album: Album, name: str, keys: int) -> bool:
    """Whether a view has so many keys by now."""
    prefix = f"{{{album.deployed.namespace}:{album.projection.name}:view-{name}-"
    return sum(1 for _ in connection.scan_iter(match=f"{prefix}*", count=1_000)) >= keys


def killed_at(process: Listened, reached: Callable[[], bool]) -> bool:
    """Kills it once that is reached; False where it had ended by then."""
    poll_until(lambda: reached() or process.exit_code is not None, seconds=30, what="some of the view to be built")
    ended = process.exit_code is not None
    process.kill()
    return not ended


def expire_lease(connection: redis.Redis, album: Album, name: str) -> None:
    """As after ten seconds in which nobody could renew it."""
    connection.delete(ProjectionKeys(album.deployed.namespace, album.projection.name).view_lease(name))


def test_what_is_there_already_stays_as_it_is(album: Album, log: ToldLog) -> None:
    position = log.written[40].position
    made = album.make("same", to_position=position)
    assert album.make("same", ttl=5_000, to_position=position) == made


def test_under_the_name_of_another_view_none_is_made(album: Album, log: ToldLog) -> None:
    made = album.make("taken", to_position=log.written[40].position)
    with pytest.raises(ViewExists, match="there is a view taken already, as of position "):
        album.make("taken", to_position=log.written[41].position)
    assert album.known() == [made]


def test_while_another_process_builds_it_none_is_made(album: Album, log: ToldLog) -> None:
    keys = ProjectionKeys(album.deployed.namespace, album.projection.name)
    reason = "another build of the view busy is at work, process "
    with RebuildLease(album.deployed, keys, "busy"), pytest.raises(LeaseHeld, match=reason):
        album.make("busy")
    assert album.make("busy").state == "ready"


def interrupted(album: Album, name: str, meanwhile: Callable[[ViewDefinition], object]) -> None:
    """Something happens once the first partition is built."""

    def build(view: ViewDefinition, wait: Wait) -> None:
        build_partitions(album.deployed, album.projection, view, [0])
        meanwhile(view)
        album.build(view, wait)

    album.make_by(build, name)


def test_where_redis_was_wiped_meanwhile_it_ends_and_begins_anew(
    album: Album, log: ToldLog, connection: redis.Redis
) -> None:
    def wipe(_: ViewDefinition) -> None:
        for key in connection.scan_iter(match=f"{{{album.deployed.namespace}*"):
            connection.delete(key)

    with pytest.raises(ViewLost, match="the view wiped is gone: it was dropped, it has expired, or Redis was wiped"):
        interrupted(album, "wiped", wipe)
    with pytest.raises(UnknownView):
        album.rows("wiped", log.tallies)
    album.make("wiped")
    assert album.rows("wiped", log.tallies) == log.rows(2**62)


def test_a_checkpoint_that_is_lost_is_never_taken_for_a_beginning(
    album: Album, log: ToldLog, connection: redis.Redis
) -> None:
    def lose(view: ViewDefinition) -> None:
        connection.delete(view.keys(album.deployed.namespace, 0).checkpoint)

    with pytest.raises(ViewLost, match="Redis has lost a part of the view lost: drop it, and make it again"):
        interrupted(album, "lost", lose)
    with pytest.raises(UnknownView):
        album.rows("lost", log.tallies)


def test_a_partition_that_was_begun_and_has_no_checkpoint_is_lost(
    album: Album, log: ToldLog, connection: redis.Redis
) -> None:
    def lose(view: ViewDefinition) -> None:
        keys = ProjectionKeys(album.deployed.namespace, album.projection.name)
        connection.delete(view.keys(album.deployed.namespace, 0).checkpoint, keys.view_built("lost", view.number))

    with pytest.raises(ViewLost, match="the view lost can't be gone on with: a checkpoint is lost"):
        interrupted(album, "lost", lose)


def test_a_query_knows_none_that_is_being_built(album: Album, log: ToldLog) -> None:
    def ask(_: ViewDefinition) -> None:
        with pytest.raises(UnknownView, match="there is no view young: it is being built"):
            album.rows("young", log.tallies)

    interrupted(album, "young", ask)
    assert album.rows("young", log.tallies) == log.rows(2**62)


def test_on_another_event_store_it_is_not_gone_on_with(album: Album, log: ToldLog) -> None:
    album.make("here")
    with EventStoreProcess(None) as other:
        place = album.deployed
        elsewhere = deployment(other.uri, place.redis_uri, place.namespace, place.partitions)
        with pytest.raises(StoreReplaced):
            Album(elsewhere, album.projection).make("here")


def test_what_a_later_release_has_stored_is_left_alone(album: Album, log: ToldLog, connection: redis.Redis) -> None:
    key = ProjectionKeys(album.deployed.namespace, album.projection.name).view("newer")
    connection.set(key, '{"format": 2}')
    with pytest.raises(NewerFormat):
        album.make("newer")
    assert connection.get(key) == b'{"format": 2}'


@pytest.mark.parametrize("rubbish", ["", "[]", "{}", "null", '{"format": 1, "name": 7}', "\xff"])
def test_rubbish_in_place_of_a_view_counts_as_none(
    rubbish: str, redis_uri: str, eventstore_uri: str, namespace: str, category: str, connection: redis.Redis
) -> None:
    album = Album(deployment(eventstore_uri, redis_uri, namespace), tallies(category))
    connection.set(ProjectionKeys(namespace, album.projection.name).view("rubbish"), rubbish)
    with pytest.raises(UnknownView):
        album.rows("rubbish", ["0"])
    assert album.make("rubbish").state == "ready"
