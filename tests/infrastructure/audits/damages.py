"""Read models that were folded by a worker which has ended, and what can be wrong with one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import redis

from infrastructure.audits.audit import audit_of
from infrastructure.audits.findings import Finding, Findings
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from projections.projection import Projection
from tests.infrastructure.readmodels.logbook import Logbook, new_tallies
from tests.infrastructure.readmodels.reader import Reader
from tests.infrastructure.readmodels.tallies import Closed, Opened, Raised, new_category, raises, tallies
from tests.infrastructure.readmodels.workers import ThreadWorker, deployment

TALLY, CLOSED, UNKNOWN = "0000000a", "0000000c", "0000000e"
Damage = Callable[["Model"], object]


@dataclass
class Model:
    """Tallies and their raises in two partitions; those of the even digits are in the first."""

    deployed: Deployment
    category: str
    redis: redis.Redis
    opened: int

    def keys(self, name: str = "tallies", partition: int = 0) -> PartitionKeys:
        return ProjectionKeys(self.deployed.namespace, name).partition(1, partition)

    @property
    def tallies(self) -> Projection[Any]:
        return tallies(self.category)

    @property
    def raises(self) -> Projection[Any]:
        return raises(self.category)

    def audited(self, projection: Projection[Any], sample: int | None = None, *, repair: bool = False) -> list[Finding]:
        """What is found, with what came of its repair where that is wanted."""
        with Findings() as findings, audit_of(projection, self.deployed) as audit:
            audit.run(findings, sample, int)
            if repair:
                audit.repair(findings)
            return list(findings)

    def told(self, projection: Projection[Any], sample: int | None = None) -> list[tuple[str, ...]]:
        """What is found, without places and values."""
        found = self.audited(projection, sample)
        return [(each.kind, each.what, each.stream.rpartition("-")[2], each.name) for each in found]


Projections = Callable[[str], list[Projection[Any]]]


def folded(uri: str, redis_uri: str, projections: Projections) -> tuple[Deployment, str, int]:
    """A deployment whose rows are folded, and whose worker has ended; where TALLY was opened."""
    category = new_category()
    deployed = deployment(uri, redis_uri, f"audit-{uuid4().hex[:12]}", 2)
    with Logbook(uri, category) as log:
        opened = log.write(TALLY, Opened(owner="ann"))
        log.write(TALLY, Raised(by=3), Raised(by=4))
        log.write(CLOSED, Opened(owner="ann"), Closed())
        others = new_tallies(40)
        log.open(others, owner="bob")
        end = log.raise_all(others[:10])
    with ThreadWorker(deployed, *projections(category)):
        for projection in projections(category):
            Reader(deployed).wait_until_available(projection)
            Reader(deployed).totals(projection, [TALLY], end)
    return deployed, category, opened


def changed_field(model: Model) -> None:
    model.redis.hset(model.keys().row(TALLY), "total", "8")


def changed_owner(model: Model) -> None:
    model.redis.hset(model.keys().row(TALLY), "owner", '"zoe"')


def unreadable_field(model: Model) -> None:
    model.redis.hset(model.keys().row(TALLY), "total", "{")


def lost_field(model: Model) -> None:
    model.redis.hdel(model.keys().row(TALLY), "owner")


def added_field(model: Model) -> None:
    model.redis.hset(model.keys().row(TALLY), "more", "1")


def lost_row(model: Model) -> None:
    model.redis.delete(model.keys().row(TALLY))


def lost_id(model: Model) -> None:
    model.redis.zrem(model.keys().ids, TALLY)


def row_lost_with_its_id(model: Model) -> None:
    lost_row(model)
    lost_id(model)


def added_row(model: Model) -> None:
    model.redis.hset(model.keys().row(UNKNOWN), mapping={"owner": '"eve"', "total": "1"})


def added_id(model: Model) -> None:
    model.redis.zadd(model.keys().ids, {UNKNOWN: 0})


def row_of_a_closed_tally(model: Model) -> None:
    model.redis.hset(model.keys().row(CLOSED), mapping={"owner": '"ann"', "total": "1"})


def row_of_the_other_partition(model: Model) -> None:
    model.redis.hset(model.keys(partition=1).row(TALLY), mapping={"owner": '"ann"'})


def row_of_no_id(model: Model) -> None:
    model.redis.hset(model.keys().row("nobody"), mapping={"owner": '"ann"'})


def row_of_another_type(model: Model) -> None:
    model.redis.delete(model.keys().row(TALLY))
    model.redis.rpush(model.keys().row(TALLY), "one", "two")


def added_row_of_another_type(model: Model) -> None:
    model.redis.set(model.keys().row(UNKNOWN), "a row")


def index_of_another_type(model: Model) -> None:
    model.redis.delete(model.keys().index("owner:ann"))
    model.redis.set(model.keys().index("owner:ann"), "an index")


def index_of_nothing_and_of_another_type(model: Model) -> None:
    model.redis.hset(model.keys().index("owner:eve"), "more", "1")


def lost_entry(model: Model) -> None:
    model.redis.zrem(model.keys().index("owner:ann"), str(model.opened))


def other_score(model: Model) -> None:
    model.redis.zadd(model.keys().index("owner:ann"), {str(model.opened): 7})


def entry_of_no_event(model: Model) -> None:
    model.redis.zadd(model.keys().index("owner:ann"), {"7": 7})


def entry_that_its_event_does_not_make(model: Model) -> None:
    model.redis.zadd(model.keys().index("owner:eve"), {"forged": model.opened})


def entry_beyond_the_log(model: Model) -> None:
    model.redis.zadd(model.keys().index("owner:eve"), {"forged": 2**62})


def swapped_entry(model: Model) -> None:
    """The size fits: only a fold tells it."""
    with model.redis.pipeline(transaction=True) as pipeline:
        pipeline.zrem(model.keys().index("owner:ann"), str(model.opened))
        pipeline.zadd(model.keys().index("owner:ann"), {"forged": model.opened})
        pipeline.execute()


def other_size(model: Model) -> None:
    model.redis.hset(model.keys().sizes, "owner:ann", 5)


def size_of_no_index(model: Model) -> None:
    model.redis.hset(model.keys().sizes, "owner:eve", 5)


def lost_sizes(model: Model) -> None:
    model.redis.delete(model.keys().sizes)


def other_number_of_rows(model: Model) -> None:
    stored: Any = model.redis.get(model.keys().checkpoint)
    changed = replace(Checkpoint.parse(stored.decode()), rows=9_999)
    model.redis.set(model.keys().checkpoint, str(changed))
