"""Rebuilds beside a live generation that is followed and written to, and the way back."""

import signal
import threading
from uuid import uuid4

import pytest
import redis

from infrastructure.readmodels.pointer_store import PointerStore
from infrastructure.readmodels.pointers import Generation
from infrastructure.rebuilds.errors import NothingThere, RebuildRefused
from infrastructure.rebuilds.progress import Progress
from tests.infrastructure.readmodels.tallies import new_category
from tests.infrastructure.readmodels.workers import deployment
from tests.infrastructure.rebuilds.site import SECONDS, Site
from tests.support.polling import poll_until
from tests.support.redis_cluster import RedisCluster


class Writer:
    """Raises tallies and reads them back, until it is told to stop."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.reads = 0
        self.wrong: list[object] = []

    def _run(self) -> None:
        while not self._stop.is_set():
            found = self._site.read()
            self.reads += 1
            if found != self._site.log.totals:
                self.wrong.append(found)

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


def test_under_writes_every_query_is_answered_and_every_key_is_that_of_a_fold_of_the_log(site: Site) -> None:
    shown: list[Progress] = []
    with Writer(site) as writer:
        flipped = site.rebuild.run(site.crewing(shown.append), keep=False)
        reads = writer.reads
        poll_until(lambda: writer.reads > reads + 2, seconds=SECONDS, what="reads after the flip")
    assert (flipped.generation, flipped.before) == (site.generation(2), site.generation(1))
    assert writer.wrong == []
    assert site.differences() == []
    assert (shown[-1].share, shown[-1].is_caught_up) == (1.0, True)
    poll_until(lambda: site.generations() == {2}, seconds=SECONDS, what="the one before to be unlinked")


def test_what_was_live_is_kept_and_gone_back_to_once_it_has_caught_up_and_forth(site: Site) -> None:
    first, second = site.generation(1), site.generation(2)
    flipped = site.rebuild.run(site.crewing(workers=1), keep=True)
    assert (flipped.kept, site.pointers.live, site.pointers.kept) == (True, second, first)
    assert site.read() == site.log.totals
    assert site.coordinator(dies_at="caught up", act="roll_back").wait() == -signal.SIGKILL
    assert (site.pointers.live, site.pointers.kept, site.read()) == (second, first, site.log.totals)
    site.expire_lease()
    back = site.rebuild.roll_back(site.crewing(workers=1))
    assert (back.generation, back.before, back.kept) == (first, second, True)
    assert (site.read(), site.differences()) == (site.log.totals, [])
    take_as_a_sweep_of_the_last_release(site, 2)
    forth = site.rebuild.roll_back(site.crewing(workers=1))
    assert (forth.generation, forth.before, site.pointers.kept) == (second, first, first)
    assert (site.read(), site.differences()) == (site.log.totals, [])
    assert site.generations() == {1, 2}


def take_as_a_sweep_of_the_last_release(site: Site, number: int) -> None:
    """It knows no pointer to what is kept. It is stopped half way: checkpoints and ids are gone, the rest is left."""
    for partition in range(2):
        keys = site.keys.partition(number, partition)
        assert site.redis.delete(keys.checkpoint, keys.ids) == 2


def test_a_rebuild_without_workers_builds_what_is_read(unworked: Site) -> None:
    flipped = unworked.rebuild.run(unworked.crewing(workers=1), keep=True)
    assert (flipped.generation.number, flipped.before, flipped.kept) == (1, None, False)
    assert unworked.differences() == []


def test_a_flip_whose_reply_is_lost_before_redis_is_away_for_a_while_is_done(unworked: Site) -> None:
    looks: list[Progress] = []

    def lose(progress: Progress) -> None:
        if looks or progress.is_caught_up:
            looks.append(progress)
        assert len(looks) < 20
        if len(looks) == 1:
            PointerStore(unworked.redis, unworked.keys).change(lambda pointers: pointers.rebuild_flipped(keep=False))
            unworked.redis.delete(unworked.keys.caught_up(1))
            raise redis.ConnectionError("the reply is lost")

    flipped = unworked.rebuild.run(unworked.crewing(lose), keep=False)
    assert (flipped.generation, flipped.before) == (unworked.generation(1), None)
    assert unworked.differences() == []


def test_it_waits_for_what_workers_build(unworked: Site) -> None:
    unworked.redis.set(unworked.keys.building, Generation(2, 1, "a-store").to_json())
    with pytest.raises(RebuildRefused, match="its workers build generation 2; a rebuild can begin once that is read"):
        unworked.rebuild.run(unworked.crewing(), keep=False)


def test_where_nothing_is_kept_there_is_nothing_to_go_back_to(unworked: Site) -> None:
    with pytest.raises(NothingThere, match="no generation is kept"):
        unworked.rebuild.roll_back(unworked.crewing())


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (Generation(1, 2, "another-store"), "was folded from another event store, another-store"),
        (Generation(1, 2, "a-store", version=2), "is of version 2, this release has version 1"),
    ],
)
def test_a_kept_generation_of_other_code_or_of_another_store_is_not_gone_back_to(
    unworked: Site, kept: Generation, reason: str
) -> None:
    unworked.redis.set(unworked.keys.kept, kept.to_json())
    before = unworked.pointers
    with pytest.raises(RebuildRefused, match=reason):
        unworked.rebuild.roll_back(unworked.crewing())
    assert unworked.pointers == before


def test_where_a_later_version_is_live_neither_is_done(unworked: Site) -> None:
    unworked.redis.set(unworked.keys.live, Generation(3, 2, "a-store", version=2).to_json())
    unworked.redis.set(unworked.keys.kept, Generation(2, 2, "a-store").to_json())
    before, reason = unworked.pointers, "a later release has taken over with version 2, this release has version 1"
    with pytest.raises(RebuildRefused, match=reason):
        unworked.rebuild.run(unworked.crewing(), keep=False)
    with pytest.raises(RebuildRefused, match=reason):
        unworked.rebuild.roll_back(unworked.crewing())
    assert unworked.pointers == before


def test_on_a_cluster_it_is_the_same(cluster: RedisCluster, eventstore_uri: str) -> None:
    deployed = deployment(eventstore_uri, cluster.uri, f"test-{uuid4().hex[:12]}", 2)
    with Site(deployed, new_category()) as site:
        site.rebuild.run(site.crewing(), keep=True)
        assert (site.read(), site.differences()) == (site.log.totals, [])
        assert (site.pointers.kept, site.generations()) == (site.generation(1), {1, 2})
