"""The lease of a rebuild, and what stands in its place by mistake."""

import pytest

from infrastructure.readmodels.pointer_store import PointerStore
from infrastructure.rebuilds.errors import LeaseHeld, LeaseLost
from infrastructure.rebuilds.lease import LEASE_SECONDS, RebuildLease
from infrastructure.rebuilds.switch import Switch
from tests.infrastructure.rebuilds.site import Site


def test_who_has_lost_it_changes_nothing_and_is_told_at_once(unworked: Site) -> None:
    with RebuildLease(unworked.deployed, unworked.keys) as lease:
        switch = Switch(unworked.redis, unworked.keys, lease)
        generation = switch.begin("a-store", 1)
        before = PointerStore(unworked.redis, unworked.keys).read(unworked.redis)
        unworked.redis.set(unworked.keys.rebuild_lease, "of another process", px=60_000)
        for act in (lambda: switch.flip(generation, keep=False), switch.abort, lambda: switch.begin("a-store", 1)):
            with pytest.raises(LeaseLost, match="another rebuild of it has taken over"):
                act()
        with pytest.raises(LeaseLost):
            lease.wait(10.0)
        assert unworked.pointers == before
    assert unworked.redis.get(unworked.keys.rebuild_lease) == b"of another process"


def test_it_is_renewed_and_taken_again_where_redis_has_lost_it(unworked: Site) -> None:
    with RebuildLease(unworked.deployed, unworked.keys) as lease:
        unworked.redis.delete(unworked.keys.rebuild_lease)
        lease.wait(2.5)
        assert unworked.redis.pttl(unworked.keys.rebuild_lease) > 1_000 * (LEASE_SECONDS - 2)
        with pytest.raises(LeaseHeld, match="another rebuild of it is at work, process "):
            RebuildLease(unworked.deployed, unworked.keys).__enter__()
    assert not unworked.redis.exists(unworked.keys.rebuild_lease)


def test_what_would_not_expire_is_no_lease(unworked: Site) -> None:
    for write in (lambda key: unworked.redis.set(key, "x"), lambda key: unworked.redis.rpush(key, "x")):
        write(unworked.keys.rebuild_lease)
        with RebuildLease(unworked.deployed, unworked.keys):
            assert 0 < unworked.redis.pttl(unworked.keys.rebuild_lease) <= 1_000 * LEASE_SECONDS
