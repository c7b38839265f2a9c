"""Counters of command handling, of snapshots and of sagas' steps, for metrics and tests."""

from collections import Counter
from dataclasses import dataclass, field

from infrastructure.server_calls import ServerCalls


@dataclass(slots=True)
class Counts:
    """Since the start of the process. Each command is a hit or a miss; the others may occur any number of times.

    `hits`: the aggregate was in memory; `misses`: it was not. `retries`: a decision on the aggregate in memory was not
    confirmed by an append, so the stream's tail was read and the command decided again. `conflicts`: appends that found
    their stream at another version. `lookups`: searches of a stream for a repeated command, of which `false_alarms`
    found none; `searches`: parts of long streams that were read for them. `restored`: loads that started at a snapshot.
    `skipped`: unusable snapshots, by reason. `taken`: stored
    snapshots; `failed`: those that could not be stored; `passed_over`: those that were due while the queue was full.
    `steps`: what sagas asked for, by the saga and by `answered`, `refused` or `failed`. `calls`: those to the servers.
    """

    hits: int = 0
    misses: int = 0
    retries: int = 0
    conflicts: int = 0
    lookups: int = 0
    false_alarms: int = 0
    searches: int = 0
    restored: int = 0
    taken: int = 0
    failed: int = 0
    passed_over: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    steps: Counter[tuple[str, str]] = field(default_factory=Counter)
    calls: ServerCalls = field(default_factory=ServerCalls, compare=False)
