"""What can go wrong with read models.

ReadModelError
├── ReadModelUnavailable    a query can't be answered now: nothing built yet, Redis away or wiped
├── ReadModelBehind         a query's position was not reached in its time, or the log does not go that far, or it is
│                           behind an event that its stream is blocked at
├── ForeignPosition         a query's token is of another event store, or of another history of this one
├── CheckpointMoved         another worker wrote, or Redis was wiped: what this worker holds is void
├── CheckpointUnusable      the checkpoint is of another store, ahead of the log or lost: the generation is void
├── NewerFormat            a later release has stored it: this one waits, and touches nothing
├── GenerationLeft          the generation is neither read nor being built any more
├── StoreReplaced           the event store at the address is another one than the generation was folded from
├── EventNotFolded          an event that can't be folded; it blocks its stream in that projection
└── TooManyBlocked          one event more than may be blocked or wait; it stops its projection's partition
"""

from infrastructure.readmodels.position_token import PositionToken


class ReadModelError(Exception):
    """Base of all; `projection` is its name."""

    def __init__(self, projection: str, detail: str) -> None:
        super().__init__(f"{projection}: {detail}")
        self.projection = projection
        self.detail = detail


class ReadModelUnavailable(ReadModelError):
    """Nothing can be said of what the read model holds; `reason` says why.

    `other_version` where nothing is wrong: the rows are of another version of the projection than this release's.
    """

    def __init__(self, projection: str, reason: str, *, other_version: bool = False) -> None:
        super().__init__(projection, reason)
        self.reason = reason
        self.other_version = other_version


class ReadModelBehind(ReadModelError):
    """The read model has come as far as `position`, which is before `at_least`; None where any would have done.

    `stream` is blocked at `version`, where that is the reason: waiting would not help.
    """

    def __init__(
        self,
        projection: str,
        position: PositionToken,
        at_least: PositionToken | None,
        *,
        stream: str | None = None,
        version: int | None = None,
    ) -> None:
        asked = "" if at_least is None else f", asked for {at_least.position}"
        blocked = "" if stream is None else f"; {stream} is blocked at version {version}"
        super().__init__(projection, f"at {position.position}{asked}{blocked}")
        self.position = position
        self.at_least = at_least
        self.stream = stream
        self.version = version


class ForeignPosition(ReadModelError):
    """The token `at_least` names a record that this log does not hold."""

    def __init__(self, projection: str, at_least: PositionToken, reason: str) -> None:
        super().__init__(projection, reason)
        self.at_least = at_least
        self.reason = reason


class CheckpointMoved(ReadModelError):
    """The stored checkpoint is not the one that was expected; nothing was written."""

    def __init__(self, projection: str, expected: str | None, found: str | None) -> None:
        super().__init__(projection, f"the checkpoint is {found or 'absent'} instead of {expected or 'absent'}")
        self.expected = expected
        self.found = found


class CheckpointUnusable(ReadModelError):
    """The generation can't be followed from its checkpoint; a new one has to begin."""


class NewerFormat(ReadModelError):
    """`what` is stored in the format number `found`, which only a later release can read; it is left alone."""

    def __init__(self, what: str, found: int) -> None:
        super().__init__(what, f"its format {found} was stored by a later release; this one waits")
        self.found = found


class GenerationLeft(ReadModelError):
    """What is followed is of no use to anybody; its keys are about to go."""

    def __init__(self, projection: str, generation: int) -> None:
        reason = "no longer read or built: it was replaced or given up, or Redis was wiped"
        super().__init__(projection, f"generation {generation} is {reason}")


class StoreReplaced(ReadModelError):
    """The event store has the identity `found`, the generation was folded from `expected`."""

    def __init__(self, projection: str, expected: str, found: str) -> None:
        super().__init__(projection, f"the event store is {found} instead of {expected}")
        self.expected = expected
        self.found = found


class EventNotFolded(ReadModelError):
    """A handler failed on the event at `position` of the log, number `version` of `stream`."""

    def __init__(self, projection: str, stream: str, version: int, position: int, reason: str) -> None:
        super().__init__(projection, f"{stream} {version} at {position}: {reason}")
        self.stream = stream
        self.version = version
        self.position = position
        self.reason = reason


class TooManyBlocked(ReadModelError):
    """The event at `position` of the log, number `version` of `stream`, is one too many to be blocked or to wait."""

    def __init__(self, projection: str, stream: str, version: int, position: int, reason: str) -> None:
        super().__init__(projection, f"{stream} {version} at {position}: {reason}")
        self.stream = stream
        self.version = version
        self.position = position
        self.reason = reason
