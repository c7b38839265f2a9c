"""A read model's second version beside the last release, which knows of no versions, and beside today's first one.

The new release is its workers, in a thread here: what they serve is asked through the read models themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx
import pytest
import redis

from domain.stock.stock import StockReceived, stock_id
from infrastructure.eventstore.codec import EventCodec
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import ProjectionKeys
from projections import stock_levels
from projections.projection import where_known
from projections.stock_levels import StockLevel
from service.consumers import EVENTS
from tests.infrastructure.readmodels.reader import Reader
from tests.infrastructure.readmodels.tallies import unstorable
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.service.client import Client
from tests.service.release import Release, two_releases
from tests.support.callers import AUTHORIZED
from tests.support.polling import poll_until

NAMESPACE: Final = "versioned"
SKU: Final = "lamp"
FIRST: Final = ProjectionKeys(NAMESPACE, "stock_levels")
SECOND: Final = replace(stock_levels.projection, version=2)
HELD_UP: Final = replace(
    SECOND, handlers={**SECOND.handlers, StockReceived: where_known(lambda row, _: unstorable(row, "on_hand"))}
)
WAIT: Final = 30.0


@dataclass
class Side:
    """Both releases with their APIs, and what the third one's workers are told."""

    last: Release
    this: Release
    clients: tuple[Client, Client]
    next: Deployment
    redis: "redis.Redis"

    def on_hand(self) -> list[int]:
        """As each API tells it, from no earlier than the last command."""
        for client in self.clients:
            client.seen = self.clients[0].seen
        return [client.get(f"/stock/{SKU}")["on_hand"] for client in self.clients]

    def refusals(self) -> list[tuple[int, str, str]]:
        """Status, rule and detail that each API answers with."""
        answers = [
            httpx.get(f"{client.url}/stock/{SKU}", trust_env=False, headers=AUTHORIZED) for client in self.clients
        ]
        return [(answer.status_code, answer.json()["rule"], answer.json()["detail"]) for answer in answers]

    def pointers(self) -> list[Any]:
        return list(self.redis.mget(FIRST.live, FIRST.building, FIRST.last_number))

    def check(self) -> dict[str, Any]:
        """What this release's readiness tells of the read model."""
        ready = httpx.get(f"{self.this.url}/health/ready", trust_env=False, headers=AUTHORIZED).json()
        return dict(ready["checks"]["stock_levels"])


@pytest.fixture
def side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    with two_releases(NAMESPACE, tmp_path_factory.mktemp("last")) as both:
        deployed = Deployment(both.eventstore, both.redis_uri, NAMESPACE, 1, EventCodec(EVENTS))
        yield Side(both.last, both.this, both.clients, deployed, both.redis)


def follows(release: Release, times: int = 1) -> None:
    """Waits until its workers have caught up with the read model so many times."""
    poll_until(
        lambda: [line["projection"] for line in release.logged("projection_caught_up")].count("stock_levels") >= times,
        seconds=WAIT,
        what="a worker that follows",
    )


def test_a_second_version_is_built_beside_both_and_takes_over_when_it_is_there(side: Side) -> None:
    side.last.start("api", "projections")
    side.this.start("api", "projections")
    follows(side.last)
    follows(side.this)
    side.clients[0].receive(SKU, 100)
    _both_go_on_while_it_is_built(side)
    with ThreadWorker(side.next, SECOND):
        Reader(side.next).wait_until_available(SECOND)
        _both_stop(side)
        side.clients[0].receive(SKU, 1)
        poll_until(lambda: _row(side).on_hand == 104, seconds=WAIT, what="the new version's row")


def _row(side: Side) -> StockLevel:
    row = Reader(side.next).ask(lambda models: models.get(SECOND, stock_id(SKU))).row
    assert row is not None
    return row


def _both_go_on_while_it_is_built(side: Side) -> None:
    before, reader = side.pointers(), Reader(side.next)
    with ThreadWorker(side.next, HELD_UP):
        poll_until(lambda: reader.health(HELD_UP).failure, seconds=WAIT, what="what holds it up")
        side.clients[0].receive(SKU, 1)
        assert side.on_hand() == [101, 101]
        side.this.kill("projections")
        side.last.kill("projections")
        side.last.start("projections")  # the last release alone, from its start
        side.clients[0].receive(SKU, 1)
        assert side.on_hand() == [102, 102]
        side.last.kill("projections")
        side.this.start("projections")
        side.clients[0].receive(SKU, 1)
        assert side.on_hand() == [103, 103]
        side.last.start("projections")
        assert (side.pointers()[:2], reader.health(HELD_UP).building) == (before[:2], 2)
    assert [side.last.logged("generation_retired"), side.this.logged("generation_retired")] == [[], []]


def _both_stop(side: Side) -> None:
    after = side.pointers()
    plain = "stock_levels can't be read at present"
    reason = "a later release has taken over with version 2, this release has version 1"
    told = [f"{plain}.", f"{plain}: {reason}."]
    assert side.refusals() == [(503, "read-model-unavailable", detail) for detail in told]
    poll_until(lambda: side.this.logged("projection_taken_over"), seconds=WAIT, what="this release's word")
    stopped = {"ok": False, "state": "stopped", "detail": "a later release has taken over with version 2"}
    assert side.check() == stopped
    before = len(_undecided(side.last))
    for release in (side.last, side.this):
        release.kill("projections")
        release.start("projections")
    poll_until(lambda: len(_undecided(side.last)) > before, seconds=WAIT, what="the last release's word")
    poll_until(lambda: len(side.this.logged("projection_taken_over")) > 1, seconds=WAIT, what="this release's word")
    assert side.pointers() == after
    assert [side.last.logged("generation_retired"), side.this.logged("generation_retired")] == [[], []]


def _undecided(release: Release) -> list[str]:
    """What its workers said of the read model's pointer."""
    told = [each["reason"] for each in release.logged("projection_undecided") if each["projection"] == SECOND.name]
    return [reason for reason in told if "format 2" in reason]
