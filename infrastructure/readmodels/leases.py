"""Leases partitions to processes: each is worked on by one of them, and by another soon after that has gone.

A lease decides who works. Who is right is decided by the fence alone: no commit asks for a lease.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias

import redis
import structlog

from infrastructure.readmodels.announcements import Announcements
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.fair_shares import Announced, Group, Worker, fair_shares
from infrastructure.readmodels.keys import PartitionId, workers_key
from infrastructure.readmodels.member import Share
from projections.projection import Projection

LEASE_SECONDS: Final = 5.0
_TURN: Final = 1.0
_BACK_SECONDS: Final = 2.5  # in which each of the others has a turn
_CLOSE_SECONDS: Final = 1.0
_IDLE_TURNS: Final = 3  # after which whoever has come last has its share, if there is one for it
_PARTY: Final = "leases"
TAKE: Final = """
local holder = redis.pcall('GET', KEYS[1])
if holder == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
local left = redis.call('PTTL', KEYS[1])
if type(holder) == 'table' or left == -1 or left > 60000 then redis.call('DEL', KEYS[1]) end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0
"""
"""What is no string, or would not expire within a minute, is no lease: something else wrote it, or Redis's clock was
put back, as by a failover to another machine. It would be in the way for long or for ever."""
RELEASE: Final = "if redis.pcall('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
_logger = structlog.get_logger()


class Lease(NamedTuple):
    """One partition of one generation, the share of the log that it needs, and the key in Redis that leases it."""

    partition: PartitionId
    share: Share
    key: str


_Leases: TypeAlias = Mapping[PartitionId, Lease]


class Leases:
    """Takes and renews leases in a thread of its own, so that whoever waits for a server never loses them.

    The leases of a share are taken together; one that another process holds is left out, and tried again each turn.
    """

    def __init__(
        self, deployment: Deployment, projections: Iterable[Projection[Any]], changed: Callable[[], None]
    ) -> None:
        """`changed` is called when something else is to be worked on, or given back."""
        self._redis: Final = connect(deployment.redis_uri, workers_key(deployment.namespace))
        self._worker: Final = deployment.worker
        self._outages: Final = deployment.outages
        self._joined: Final = deployment.joined
        self._kinds: Final = _kinds(projections)
        self._announcements: Final = Announcements(self._redis, deployment.namespace, self._worker, LEASE_SECONDS)
        self._changed: Final = changed
        self._turn_or_release: Final = threading.Lock()
        self._woken: Final = threading.Event()
        self._closed: Final = threading.Event()
        self._wished: _Leases = {}
        self._held: _Leases = {}
        self._has_announced = False
        self._idle_turns = 0
        self._came_back = -_BACK_SECONDS
        self.workable: frozenset[PartitionId] = frozenset()
        """What is held, and is this worker's share."""
        self._thread: Final = threading.Thread(target=self._run, name=_PARTY, daemon=True)
        self._thread.start()

    @property
    def is_renewed(self) -> bool:
        """Whether the thread that renews still runs."""
        return self._thread.is_alive()

    def wish(self, wished: Iterable[Lease]) -> None:
        """What this process could work on, from now on."""
        before, self._wished = self._wished, {lease.partition: lease for lease in wished}
        if self._wished != before:
            self._woken.set()

    def give_back(self, followed: Collection[PartitionId]) -> None:
        """Releases what is held and not to be worked on here, but for what is `followed` still."""
        if self._held.keys() <= self.workable.union(followed):
            return
        try:
            with self._turn_or_release:
                self._release(self._held.keys() - self.workable - set(followed))
        except redis.RedisError as error:
            self._outages.failed(_PARTY, error)  # a later call gives back
        self._woken.set()  # so that others are told

    def close(self) -> None:
        """Releases all, where Redis can be reached: others take over at once."""
        self._closed.set()
        self._woken.set()
        self._thread.join(_CLOSE_SECONDS)
        if not self._thread.is_alive():
            self._leave()
        self._outages.succeeded(_PARTY)
        self._redis.close()

    def _leave(self) -> None:
        try:
            self._release(self._held.keys())
            self._announcements.withdraw()
        except redis.RedisError:
            _logger.debug("leases_not_released")  # they expire

    def _run(self) -> None:
        while not self._closed.is_set():
            before = self.workable, self._held.keys()
            try:
                with self._turn_or_release:
                    self._turn()
            except redis.RedisError as error:
                self._outages.failed(_PARTY, error)
            else:
                self._outages.succeeded(_PARTY)
                if before != (self.workable, self._held.keys()):
                    self._changed()
            self._woken.wait(_TURN)
            self._woken.clear()

    def _turn(self) -> None:
        """Reads what others do, takes or renews, and tells them. Raises RedisError; what was held then counts as held.

        Where its own announcement has expired or is lost, it takes for a while only what it held: others come back as
        well.
        """
        wished, held, announced = self._wished, self._held, self._announcements.read()
        mine = self._mine(wished, announced)
        if self._has_announced and self._worker not in announced:
            self._came_back = time.monotonic()
        is_back = time.monotonic() - self._came_back < _BACK_SECONDS
        self._held = self._taken(held if is_back else {**held, **mine})
        self._tell(held)
        self.workable = frozenset(self._held.keys() & mine.keys())
        self._announcements.announce(self._announced(wished))
        self._has_announced = True
        self._joined.set()
        self._tell_idle(wished, announced.keys() - {self._worker})

    def _tell_idle(self, wished: _Leases, others: Collection[Worker]) -> None:
        """Says once that nothing is left for this worker, until it has had something."""
        self._idle_turns = self._idle_turns + 1 if wished and not self._held else 0
        if self._idle_turns == _IDLE_TURNS:
            _logger.info("no_lease_taken", worker=self._worker, partitions=len(wished), workers=sorted(others))

    def _mine(self, wished: _Leases, others: Mapping[Worker, Announced]) -> _Leases:
        shares = fair_shares({**others, self._worker: self._announced(wished)})
        return {each: lease for each, lease in wished.items() if shares[self._group(lease)] == self._worker}

    def _announced(self, wished: _Leases) -> Announced:
        held = {self._group(lease) for lease in self._held.values()}
        return {group: group in held for group in map(self._group, wished.values())}

    def _group(self, lease: Lease) -> Group:
        """Workers with other versions of the read models, as of another release, do not share this one."""
        share = lease.share  # of whatever rank: who goes first is decided within one process
        return f"{share.category} {share.partition}/{share.partitions} {share.store[:8]} {self._kinds[share.category]}"

    def _taken(self, leases: _Leases) -> _Leases:
        """Those of these leases that are this worker's now, and for some seconds."""
        replies = self._eval(TAKE, leases.values(), int(LEASE_SECONDS * 1000))
        return {each: lease for (each, lease), taken in zip(leases.items(), replies, strict=True) if taken}

    def _release(self, partitions: Collection[PartitionId]) -> None:
        before = self._held
        self._eval(RELEASE, [before[each] for each in partitions])
        self._held = {each: lease for each, lease in before.items() if each not in partitions}
        for share in _shares(before) - _shares(self._held):
            _log("lease_released", share, before)

    def _eval(self, script: str, leases: Iterable[Lease], *arguments: int) -> list[Any]:
        """The reply for each lease."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for lease in leases:
                pipeline.eval(script, 1, lease.key, self._worker, *arguments)
            return pipeline.execute()

    def _tell(self, before: _Leases) -> None:
        for share in _shares(self._held) - _shares(before):
            _log("lease_taken", share, self._held)
        lost = {each: lease for each, lease in before.items() if each not in self._held}
        for share in _shares(lost):
            _log("lease_lost", share, lost)


def _kinds(projections: Iterable[Projection[Any]]) -> Mapping[str, str]:
    """For each category, a digest of which versions of which read models are folded from it here."""
    of_category: dict[str, list[str]] = {}
    for projection in projections:
        of_category.setdefault(projection.category, []).append(f"{projection.name}:{projection.version}")
    return {category: sha256(" ".join(sorted(each)).encode()).hexdigest()[:8] for category, each in of_category.items()}


def _shares(leases: _Leases) -> set[Share]:
    return {lease.share for lease in leases.values()}


def _log(event: str, share: Share, leases: _Leases) -> None:
    """One line for all of a share."""
    names = sorted({name for (name, _, _), lease in leases.items() if lease.share == share})
    told = {"partition": share.partition, "partitions": share.partitions, "projections": names}
    log = _logger.warning if event == "lease_lost" else _logger.info
    log(event, category=share.category, **told)
