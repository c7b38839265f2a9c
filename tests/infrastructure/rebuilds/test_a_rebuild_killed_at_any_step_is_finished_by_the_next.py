"""Coordinators and processes of a rebuild that are killed: what is live stays, and the next call goes on."""

import os
import signal

import pytest
from structlog.testing import capture_logs

from infrastructure.rebuilds.errors import LeaseHeld, NothingThere
from infrastructure.rebuilds.progress import Progress
from tests.infrastructure.rebuilds.site import SECONDS, Site
from tests.support.polling import poll_until
from tests.support.processes import children


def test_killed_before_the_flip_it_leaves_the_live_one_and_the_next_goes_on_with_it(site: Site) -> None:
    for step in ("begun", "half", "caught up"):
        assert site.coordinator(dies_at=step).wait() == -signal.SIGKILL
        assert (site.pointers.live, site.pointers.rebuilding) == (site.generation(1), site.generation(2))
        assert site.read() == site.log.totals
        site.expire_lease()
    flipped = site.rebuild.run(site.crewing(), keep=False)
    assert (flipped.generation, site.pointers.rebuilding) == (site.generation(2), None)
    assert (site.read(), site.differences()) == (site.log.totals, [])


def test_killed_after_the_flip_it_leaves_what_was_rebuilt(site: Site) -> None:
    assert site.coordinator(dies_at="flipped").wait() == -signal.SIGKILL
    assert (site.pointers.live, site.pointers.rebuilding) == (site.generation(2), None)
    assert (site.read(), site.differences()) == (site.log.totals, [])
    poll_until(lambda: site.generations() == {2}, seconds=SECONDS, what="the one before to be unlinked")


def test_a_process_that_is_killed_is_started_again_and_a_second_rebuild_told_who_is_at_work(site: Site) -> None:
    killed: list[int] = []
    holders: list[str] = []
    others = set(children(os.getpid()))  # servers of the whole run among them

    def meddle(progress: Progress) -> None:
        if not killed:
            killed.append(next(pid for pid in children(os.getpid()) if pid not in others))
            os.kill(killed[0], signal.SIGKILL)
        if progress.is_caught_up and not holders:
            with pytest.raises(LeaseHeld) as refused:
                site.rebuild.run(site.crewing(), keep=False)
            holders.append(refused.value.holder)

    with capture_logs() as logged:
        site.rebuild.run(site.crewing(meddle), keep=False)
    reasons = [line["reason"] for line in logged if line["event"] == "rebuild_process_ended"]
    assert reasons == ["killed by signal 9"]
    assert (len(killed), holders[0].rpartition(":")[2]) == (1, str(os.getpid()))
    assert (site.pointers.live, site.pointers.last_number) == (site.generation(2), 2)
    assert site.differences() == []


def test_what_was_begun_is_given_up_with_all_its_keys(site: Site) -> None:
    assert site.coordinator(dies_at="half").wait() == -signal.SIGKILL
    site.expire_lease()
    poll_until(lambda: site.generations() == {1, 2}, seconds=SECONDS, what="some keys")
    generation, keys = site.rebuild.abort()
    assert (generation, keys > 0, site.generations()) == (site.generation(2), True, {1})
    assert (site.pointers.rebuilding, site.read()) == (None, site.log.totals)
    with pytest.raises(NothingThere, match="no rebuild was begun, or it is done"):
        site.rebuild.abort()
