"""What the workers of read models are told: where everything is, and what this process knows of it."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from infrastructure.eventstore.codec import EventCodec
from infrastructure.outages import Outages
from infrastructure.readmodels.commit_announcements import CommitAnnouncements
from infrastructure.readmodels.fold_times import FoldTimes
from infrastructure.readmodels.keys import PartitionId
from infrastructure.readmodels.status import AuditReport, Status
from infrastructure.readmodels.turns import Turns


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where events come from and rows go to, the namespace, and the number of partitions.

    `skip_unreadable` are the names of the projections that skip what can't be read; the others stop there.
    `priorities` are the names of those that go before the others while they are behind, the most urgent first. `worker`
    names the process to those that it shares the work with: one that is started again under its name goes on at once
    with what was leased to it. `reports` has the last report of each partition that this process follows, `audits` what
    its background audit has found, `outages` what it finds of the servers, `folds` how fast it folds. `joined` is set
    once it shares in the work.
    """

    eventstore_uri: str
    redis_uri: str
    namespace: str
    partitions: int
    codec: EventCodec
    skip_unreadable: frozenset[str] = frozenset()
    priorities: Sequence[str] = ()
    worker: str = field(default_factory=lambda: uuid4().hex, compare=False)
    reports: dict[PartitionId, Status] = field(default_factory=dict, compare=False)
    audits: dict[PartitionId, AuditReport] = field(default_factory=dict, compare=False)
    outages: Outages = field(default_factory=Outages, compare=False)
    joined: threading.Event = field(default_factory=threading.Event, compare=False)
    folds: FoldTimes = field(default_factory=FoldTimes, compare=False)
    turns: Turns = field(default_factory=Turns, compare=False)
    announcements: CommitAnnouncements = field(default_factory=CommitAnnouncements, compare=False)

    def rank_of(self, projection: str) -> int:
        """Its place among the priorities, from 0; those that are not named share the last."""
        return self.priorities.index(projection) if projection in self.priorities else len(self.priorities)
