"""Folds some partitions of one generation in this process: beside the workers, without their leases."""

import threading
from collections.abc import Sequence
from typing import Any, Final

import redis
import structlog

from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelError
from infrastructure.readmodels.follower import Follower
from infrastructure.readmodels.generations import Generations, generations_of
from infrastructure.readmodels.member import Member
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.skip_readers import SkipWatch
from projections.projection import Projection

_TICK: Final = 1.0
_STOP_SECONDS: Final = 6.0
_logger = structlog.get_logger()


def fold_partitions(
    projection: Projection[Any],
    deployment: Deployment,
    generation: Generation,
    partitions: Sequence[int],
    stop: threading.Event,
) -> None:
    """Follows the log, each partition in a thread, until `stop` is set; returns a few seconds after that at most.

    Whoever else folds them: the fence decides whose commit counts. Those at the end of the log are noted as caught up.
    """
    skips = SkipWatch(deployment)
    members = [
        Member(deployment, projection, generation, number, _leave_to_the_coordinator, skips) for number in partitions
    ]
    threads = [_begin(deployment, member, stop) for member in members]
    generations = generations_of(projection, deployment)
    while not stop.wait(_TICK):
        deployment.outages.tick()
        if not all(thread.is_alive() for thread in threads):
            stop.set()
            raise RuntimeError("nobody folds a partition any more")
        _mark_caught_up(generations, projection.name, deployment, generation)
    for thread in threads:
        thread.join(_STOP_SECONDS)
    generations.close()
    skips.close()


def _begin(deployment: Deployment, member: Member[Any], stop: threading.Event) -> threading.Thread:
    follower = Follower(deployment, [member], stop, _leave_to_the_coordinator)
    name = f"{member.projection.name} p{member.share.partition}"
    thread = threading.Thread(target=follower.run, name=name, daemon=True)
    thread.start()
    return thread


def _leave_to_the_coordinator() -> None:
    """The rebuild sees by the pointers and the reports what has changed, and ends this process."""


def _mark_caught_up(generations: Generations, projection: str, deployment: Deployment, generation: Generation) -> None:
    """Once more, as long as it is so: a failover of Redis may have undone what the members noted."""
    for (_, _, number), status in list(deployment.reports.items()):
        if status.state != "live":
            continue
        try:
            generations.mark_caught_up(generation, number)
        except (redis.RedisError, ReadModelError) as error:
            _logger.debug("not_marked_as_caught_up", projection=projection, partition=number, reason=str(error))
