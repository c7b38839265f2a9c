"""What the handling of commands counts, for whoever shows it."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """Since the start. Each command is a hit or a miss; the others may come in any number.

    `hits`: something was remembered of the aggregate; `misses`: nothing was. `retries`: what was decided on memory
    proved nothing, so the stream's tail was read and it was decided again. `conflicts`: appends that found their stream
    at another version. `lookups`: repeats that were looked for in a stream, of which `false_alarms` were none.
    `restored`: loads that began at a snapshot. `skipped`: snapshots by why they were of no use. `taken`, `failed`,
    `passed_over`: snapshots that were written, that the store did not take, and that were not taken because too many
    others waited.
    """

    hits: int = 0
    misses: int = 0
    retries: int = 0
    conflicts: int = 0
    lookups: int = 0
    false_alarms: int = 0
    restored: int = 0
    taken: int = 0
    failed: int = 0
    passed_over: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
