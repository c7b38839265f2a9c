"""A rebuild and a rollback where the workers and the API are the last release's, which knows of neither."""

import json
from pathlib import Path

from infrastructure.readmodels.keys import ProjectionKeys
from tests.service.release import TwoReleases, two_releases
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened

NAME = "stock_levels"
KEYS = ProjectionKeys("upgraded", NAME)


def rebuilt(both: TwoReleases, *options: str) -> dict[str, object]:
    """What this release's command says in the end."""
    environment = {
        "FOLDSTREAM_EVENTSTORE_URI": both.eventstore,
        "FOLDSTREAM_REDIS_URI": both.redis_uri,
        "FOLDSTREAM_NAMESPACE": KEYS.namespace,
    }
    process = Listened((*FOLDSTREAM, "rebuild", NAME, "--json", *options), environment)
    assert process.wait(within=60) == 0, process.errors
    return dict(json.loads(process.output[-1]))


def received_and_read(both: TwoReleases) -> object:
    """What the last release's API answers after one more was received there."""
    client = both.clients[0]
    client.receive("lamp", 1)
    return client.get("/stock/lamp")["on_hand"]


def unlink_kept(both: TwoReleases) -> None:
    """As the last release's sweep does, which runs every ten minutes: it follows the higher number alone."""
    for key in both.redis.scan_iter(match=KEYS.generations_pattern, count=1_000):
        if KEYS.generation_of(key.decode()) == (1, 1):
            both.redis.unlink(key)


def test_it_follows_what_was_rebuilt_and_what_was_gone_back_to(tmp_path: Path) -> None:
    with two_releases(KEYS.namespace, tmp_path) as both:
        both.last.start("projections", "api")
        poll_until(lambda: both.redis.exists(KEYS.live), seconds=60, what="the last release to have built it")
        assert received_and_read(both) == 1
        flipped = rebuilt(both, "--keep")
        assert (flipped["generation"], flipped["before"], flipped["kept"]) == (2, 1, True)
        assert received_and_read(both) == 2
        unlink_kept(both)
        back = rebuilt(both, "--rollback", "--yes")
        assert (back["generation"], back["before"]) == (1, 2)
        assert received_and_read(both) == 3
        assert both.last.logged("unexpected_error") == []
