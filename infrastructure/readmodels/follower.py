"""Follows the log for the partitions that share a subscription: read and decoded once, folded by each for itself."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from typing import Any, Final

import redis

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log_reader import LogReader, open_reader
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import PartitionId
from infrastructure.readmodels.member import Member, Share, Stopped
from infrastructure.readmodels.record_reader import decoder_of
from infrastructure.readmodels.status import HEARTBEAT
from infrastructure.readmodels.uri import is_cluster
from infrastructure.subscriptions.catch_up import BATCH, CatchUp
from infrastructure.subscriptions.frames import SharedFrame

_TOGETHER: Final = 4 << 20
"""Bytes of the log that a member may be ahead of the next one: for as many it only waits."""
_SETTLED: Final = 5.0


class Follower:
    """Runs in a thread of its own; `run` returns soon after `stop` is set, or when no member is left.

    Whatever fails alone leaves, and is put into `departed`, where somebody else has to take it over; so do members
    that are far ahead of the others. `reconsider` is called then. What all of them need, Redis and the event store,
    they wait for together; of a Redis Cluster each waits for the server that it needs. With one member left nothing
    leaves: it is tried again here.
    """

    def __init__(
        self,
        deployment: Deployment,
        members: Sequence[Member[Any]],
        stop: threading.Event,
        reconsider: Callable[[], None],
    ) -> None:
        self.share: Final[Share] = members[0].share
        self.members: Final = list(members)
        self.departed: Final[deque[Sequence[Member[Any]]]] = deque()
        self._deployment: Final = deployment
        self._stop: Final = stop
        self._reconsider: Final = reconsider
        self._ends: Final[dict[Member[Any], int]] = {}
        redis_away = () if is_cluster(deployment.redis_uri) else (redis.ConnectionError, redis.TimeoutError)
        self._shared: Final = (Stopped, StoreUnavailable, *redis_away)

    def run(self) -> None:
        """Follows, again after every failure. A batch in hand is committed or dropped whole when it is stopped."""
        while not self._stop.is_set():
            try:
                self._follow()
            except Stopped:
                break
            except Exception as error:  # noqa: BLE001 - the thread's border: shown in log and status, tried again
                self._wait(max([member.fail(error) for member in self.members]))
        for member in self.members:
            member.end()

    @property
    def is_settled(self) -> bool:
        """Whether all its members have been at the end of the log for five seconds."""
        return all(member.live_for() > _SETTLED for member in self.members)

    def _follow(self) -> None:
        """One subscription, from the lowest checkpoint until it fails or we are stopped."""
        share = self.share
        pattern = partition_pattern(share.category, share.partition, share.partitions)
        with open_reader(self._deployment.eventstore_uri) as reader, ExitStack() as leaving:
            for member in tuple(self.members):
                leaving.callback(member.leave)
                self._alone(member, partial(self._begin, member, reader))
            self._part()
            decode = decoder_of((member.projection for member in self.members), self._deployment.codec)
            leaving.callback(self._deployment.turns.leave, self)
            with CatchUp(reader, pattern, _lowest(self.members), decode) as frames:
                self._consume(frames.batches())

    def _consume(self, batches: Iterable[Sequence[SharedFrame]]) -> None:
        for batch in batches:
            behind = len(batch) == BATCH or not all(member.live_for() for member in self.members)
            self._deployment.turns.wait(self, self.share.rank, behind=behind)
            if self._stop.is_set():
                return
            for member in tuple(self.members):
                self._alone(member, partial(member.take, batch, self._ends[member]))

    def _begin(self, member: Member[Any], reader: LogReader) -> None:
        self._ends[member] = member.begin(reader, self._stop)

    def _alone(self, member: Member[Any], action: Callable[[], None]) -> None:
        """Lets the member go where this fails for it alone."""
        try:
            action()
        except self._shared:
            raise
        except Exception as error:
            if len(self.members) == 1:
                raise
            member.fail(error)
            self._depart([member])

    def _part(self) -> None:
        """Lets those go that are so far ahead that the others would keep them."""
        ordered = sorted(self.members, key=_position)
        for number, (behind, ahead) in enumerate(pairwise(ordered), 1):
            if _position(ahead) - _position(behind) > _TOGETHER:
                self._depart(ordered[number:])
                return

    def _depart(self, members: Sequence[Member[Any]]) -> None:
        """Each is at any time among the members or the departed, and nobody else begins to follow it."""
        for member in members:
            member.leave()
        self.departed.append(members)
        for member in members:
            self.members.remove(member)
        self._reconsider()

    @property
    def keys(self) -> set[PartitionId]:
        """Of the members, and of the departed whom nobody has taken over yet. Another thread may ask."""
        departed = [member for members in tuple(self.departed) for member in members]
        return {member.key for member in (*departed, *tuple(self.members))}

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stop.is_set():
            for member in self.members:
                member.rest()
            self._stop.wait(min(left, HEARTBEAT))


def _position(member: Member[Any]) -> int:
    return -1 if member.position is None else member.position


def _lowest(members: Sequence[Member[Any]]) -> int | None:
    return min(members, key=_position).position
