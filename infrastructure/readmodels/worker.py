"""Keeps read models up to date: follows what is leased to this process, with shared subscriptions where it can."""

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

import structlog

from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.follower import Follower
from infrastructure.readmodels.keys import PartitionId
from infrastructure.readmodels.leases import Leases
from infrastructure.readmodels.member import Member, Share
from infrastructure.readmodels.pause_readers import PauseWatch
from infrastructure.readmodels.redis_policy import warn_if_misconfigured
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.wanted import StoreIdentity, Wanted
from projections.projection import Projection

_TICK: Final = 1.0
_STOP_SECONDS: Final = 8.0
_END_SECONDS: Final = 6.0
_logger = structlog.get_logger()


def run_projections(projections: Sequence[Projection[Any]], deployment: Deployment, stop: threading.Event) -> None:
    """Follows the log with all of them until `stop` is set; returns a few seconds after that at most.

    Every batch in hand is then committed or dropped whole, and what was leased to this process is given back. Neither
    server has to be there at the start.
    """
    warn_if_misconfigured(deployment.redis_uri)
    supervisor = Supervisor(projections, deployment, stop)
    thread = threading.Thread(target=supervisor.run, name="projections", daemon=True)
    thread.start()
    while not stop.wait(_TICK):
        deployment.outages.tick()
        if not thread.is_alive():
            stop.set()
            raise RuntimeError("nobody keeps the read models up to date any more")
    supervisor.reconsider()
    thread.join(_STOP_SECONDS)


class _Running:
    """A follower in its thread."""

    def __init__(self, deployment: Deployment, members: Sequence[Member[Any]], supervisor: "Supervisor") -> None:
        self.stop: Final = threading.Event()
        self.follower: Final = Follower(deployment, members, self.stop, supervisor.reconsider)
        name = ", ".join(f"{name} {generation} p{number}" for name, generation, number in sorted(self.follower.keys))
        self.thread: Final = threading.Thread(target=self.follower.run, name=name, daemon=True)
        self.thread.start()


class Supervisor:
    """Runs the followers of the partitions that are leased to it, of generations that are read or being built.

    Those of one share begin together. Who fails or is far ahead leaves and is followed alone; once both have been at
    the end of the log for a while, they are followed together again.
    """

    def __init__(self, projections: Sequence[Projection[Any]], deployment: Deployment, stop: threading.Event) -> None:
        self._deployment: Final = deployment
        self._stop: Final = stop
        self._news: Final = threading.Event()
        self._identity: Final = StoreIdentity(deployment)
        self._pauses: Final = PauseWatch(deployment)
        self._skips: Final = SkipWatch(deployment)
        watches = (self._pauses, self._skips)
        self._wanted: Final = [Wanted(each, deployment, self._identity, *watches) for each in projections]
        self._leases: Final = Leases(deployment, projections, self._news.set)
        self._running: list[_Running] = []

    def reconsider(self) -> None:
        """Something has changed: the store, or what is to be followed. Called by other threads."""
        self._identity.forget()
        self._news.set()

    def run(self) -> None:
        """Until `stop` is set. Raises RuntimeError where leases are not renewed any more."""
        while not self._stop.is_set():
            for wanted in self._wanted:
                if not self._stop.is_set():  # each may wait for a server
                    wanted.decide(self._leases.workable)
            self._align()
            if not self._leases.is_renewed:
                raise RuntimeError("nobody renews the leases any more")
            self._news.wait(_TICK)
            self._news.clear()
        self._leases.wish(())  # nothing is taken any more
        self._end(self._running)
        self._leases.close()
        for wanted in self._wanted:
            wanted.close()
        self._pauses.close()
        self._skips.close()

    def _align(self) -> None:
        """Ends the followers of what is not wanted or leased, gives that back, and follows the rest."""
        wished = [lease for wanted in self._wanted for lease in wanted.leases]
        self._leases.wish(wished)
        keys = {lease.partition for lease in wished} & self._leases.workable
        self._end([each for each in self._running if not each.follower.keys <= keys or not each.thread.is_alive()])
        for running in tuple(self._running):
            self._take_over(running, keys)
        self._reunite()
        missing = keys - {key for running in self._running for key in running.follower.keys}
        self._begin([member for wanted in self._wanted for member in wanted.members(self.reconsider, missing)])
        self._leases.give_back(keys)

    def _take_over(self, running: _Running, keys: set[PartitionId]) -> None:
        """Lets those who left go on by themselves; those of one departure together."""
        while running.follower.departed:
            members = running.follower.departed.popleft()
            for member in members:
                if member.key not in keys:
                    member.end()
            if staying := [member for member in members if member.key in keys]:
                self._running.append(_Running(self._deployment, staying, self))

    def _reunite(self) -> None:
        """Ends the followers of one share that have all come to the end of the log: they begin together again."""
        for settled in _by_share(running for running in self._running if running.follower.is_settled).values():
            if len(settled) > 1:
                self._end(settled)

    def _begin(self, members: Sequence[Member[Any]]) -> None:
        shares: dict[Share, list[Member[Any]]] = {}
        for member in members:
            shares.setdefault(member.share, []).append(member)
        self._running += [_Running(self._deployment, each, self) for each in shares.values()]

    def _end(self, ending: Sequence[_Running]) -> None:
        """Waits for all of them together, bounded."""
        for running in ending:
            running.stop.set()
        self._running = [running for running in self._running if running not in ending]
        end = time.monotonic() + _END_SECONDS
        for running in ending:
            running.thread.join(max(0.0, end - time.monotonic()))
            for member in (member for members in running.follower.departed for member in members):
                member.end()


def _by_share(several: Iterable[_Running]) -> dict[Share, list[_Running]]:
    shares: dict[Share, list[_Running]] = {}
    for running in several:
        shares.setdefault(running.follower.share, []).append(running)
    return shares
