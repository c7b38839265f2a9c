"""Operators at work on tallies that are besieged: rebuilds, repairs, tries and skips, killed half way."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from uuid import UUID

import redis

from domain.stream_name import stream_name
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import PartitionKeys, ProjectionKeys
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.skips import Skip
from tests.infrastructure.readmodels.durability.stored_keys import connection_to
from tests.infrastructure.rebuilds.processes import OperatorProcess, coordinator, repairer
from tests.support.polling import poll_until

_SECONDS: Final = 60.0
_STEPS: Final = (None, None, "begun", "half", "caught up", "flipped")


class TallyOperators:
    """What they begin runs beside the rest. Whatever a killed server makes of a word is not their concern."""

    def __init__(self, deployed: Deployment, category: str, random: Random, counted: Counter[str]) -> None:
        self._deployed: Final = deployed
        self._category: Final = category
        self._random: Final = random
        self._counted: Final = counted
        self._keys: Final = ProjectionKeys(deployed.namespace, "summed")
        self._skips: Final = SkipWatch(deployed)
        self._rebuilding: OperatorProcess | None = None
        self._repairing: OperatorProcess | None = None
        self._has_damaged = False

    @property
    def disturbances(self) -> Mapping[Callable[[], None], int]:
        return {
            self._rebuild: 8,
            self._damage: 6,
            self._kill_rebuild: 4,
            self._kill_repair: 3,
            self._skip: 14,
            self._unskip: 6,
            self._retry: 4,
        }

    def finish(self) -> None:
        """Nobody is at work any more; what was damaged is repaired at last."""
        self._kill_repair()
        self._kill_rebuild()
        if self._has_damaged:
            poll_until(self._is_mended, seconds=_SECONDS, what="a repair or a rebuild")
            self._has_damaged = False

    def close(self) -> None:
        """Ends all."""
        self._kill_repair()
        self._kill_rebuild()
        self._skips.close()

    def _rebuild(self) -> None:
        """One after the other; of most the process dies at a step."""
        if self._rebuilding is None or not self._rebuilding.is_alive:
            self._expire_lease()
            act = self._random.choice(("run", "keep", "roll_back"))
            self._counted["rebuilds"] += 1
            self._rebuilding = coordinator(self._deployed, self._category, self._random.choice(_STEPS), act)

    def _kill_rebuild(self) -> None:
        if self._rebuilding is not None and self._rebuilding.is_alive:
            self._counted["kills of rebuilds"] += 1
            self._rebuilding.kill()
        self._rebuilding = None

    def _damage(self) -> None:
        """Somebody writes into Redis by hand, and has it repaired."""
        with suppress(redis.RedisError), connection_to(self._deployed.redis_uri) as connection:
            for keys in self._partitions(connection):
                ids: Any = connection.zrange(keys.ids, 0, -1)
                if ids:
                    self._has_damaged = True
                    self._counted["damages"] += 1
                    connection.hset(keys.row(self._random.choice(ids)), "total", "-7")
        if self._repairing is None or not self._repairing.is_alive:
            self._counted["repairs"] += 1
            self._repairing = repairer(self._deployed, self._category)

    def _kill_repair(self) -> None:
        if self._repairing is not None and self._repairing.is_alive:
            self._counted["kills of repairs"] += 1
            self._repairing.kill()
        self._repairing = None

    def _skip(self) -> None:
        with suppress(redis.RedisError, EventStoreError):
            blocked = self._blocked()
            if blocked:
                tally = self._random.choice(list(blocked))
                self._skips.skip(self._word(tally, blocked[tally].version))
                self._counted["skips"] += 1

    def _unskip(self) -> None:
        with suppress(EventStoreError):
            standing = self._skips.latest("summed").standing
            if standing:
                stream = self._random.choice(list(standing))
                version = self._random.choice(list(standing[stream]))
                self._skips.unskip(self._word(stream.partition("-")[2], version))
                self._counted["ends of skips"] += 1

    def _retry(self) -> None:
        with suppress(redis.RedisError), connection_to(self._deployed.redis_uri) as connection:
            for keys in self._partitions(connection):
                self._counted["tries"] += 1
                connection.sadd(keys.retries, "*")

    def _word(self, tally: str, version: int) -> Skip:
        return Skip(
            namespace=self._deployed.namespace,
            projection="summed",
            stream=stream_name(self._category, tally),
            version=version,
            event_id=UUID(int=version),
            actor="cli:ada",
            why="it is wrong",
            at=datetime.now(UTC),
        )

    def _blocked(self) -> Mapping[str, Block]:
        with connection_to(self._deployed.redis_uri) as connection:
            found: list[Any] = [connection.hgetall(keys.blocked) for keys in self._partitions(connection)]
        return {tally: Block.from_json(block) for blocks in found for tally, block in blocks.items()}

    def _partitions(self, connection: Any) -> list[PartitionKeys]:
        live = Generation.from_json(connection.get(self._keys.live))
        return [] if live is None else [self._keys.partition(live.number, each) for each in range(live.partitions)]

    def _expire_lease(self) -> None:
        with suppress(redis.RedisError), connection_to(self._deployed.redis_uri) as connection:
            connection.delete(self._keys.rebuild_lease)

    def _is_mended(self) -> bool:
        """Of a stream that was deleted only a rebuild makes the row again."""
        with repairer(self._deployed, self._category) as repairing:
            if (code := repairing.wait()) != 3:
                return code == 0
        self._expire_lease()
        with coordinator(self._deployed, self._category, None, "run") as rebuilding:
            return rebuilding.wait() == 0
