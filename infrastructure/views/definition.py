"""Says what a view is of: which read model, which part of the log, how long it stays, and how far it is."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

from infrastructure.eventstore.stream_patterns import PARTITION_COUNTS
from infrastructure.readmodels.checkpoint import require_known_format
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.pointers import Generation
from infrastructure.times import time_text

FORMAT: Final = 1
NAME: Final = "[a-z0-9-]{1,32}"
GRACE_MS: Final = 60_000
"""So much longer than the definition its keys stay: a query that has found it finds them, on whichever server."""
State: TypeAlias = Literal["building", "ready"]


@dataclass(frozen=True, slots=True)
class Span:
    """The part of the log that a view is folded from, as it was asked for.

    It ends with what happened up to the time `as_of` or the position `to_position`, both included; with neither, where
    the log ended when the view was begun. With `from_time` or `from_position` it begins after those, else at the
    beginning. Times are by the event store's clock, stream by stream.
    """

    as_of: datetime | None = None
    to_position: int | None = None
    from_time: datetime | None = None
    from_position: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it begins where the log does."""
        return self.from_time is None and self.from_position is None

    def stored(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "as_of": _written(self.as_of),
            "to_position": self.to_position,
            "from_time": _written(self.from_time),
            "from_position": self.from_position,
        }

    def __str__(self) -> str:
        end = "the end of the log"
        if self.as_of is not None:
            end = time_text(self.as_of)
        elif self.to_position is not None:
            end = f"position {self.to_position}"
        if self.from_time is not None:
            return f"{end}, from {time_text(self.from_time)}"
        return end if self.from_position is None else f"{end}, from position {self.from_position}"


@dataclass(frozen=True, slots=True)
class ViewDefinition:
    """One view. `number` tells it from others that had its name before; `end` is the last position that it reads.

    `position` is that up to which everything is in it, known once it is `ready`. Until `expires_at`, in milliseconds of
    the epoch by the clock of Redis, it can be queried.
    """

    projection: str
    name: str
    number: int
    version: int
    partitions: int
    store: str
    span: Span
    end: int
    expires_at: int
    made_at: datetime
    made_by: str
    why: str | None = None
    state: State = "building"
    position: int | None = None

    @property
    def generation(self) -> Generation:
        """The generation that its partitions are of."""
        return Generation(self.number, self.partitions, self.store, self.version)

    @property
    def expires(self) -> datetime:
        return datetime.fromtimestamp(self.expires_at / 1000, UTC)

    def keys(self, namespace: str, partition: int) -> PartitionKeys:
        """Those of one partition, which expire soon after the view."""
        return PartitionKeys(
            namespace,
            self.projection,
            self.number,
            partition,
            self.version,
            self.partitions,
            self.name,
            self.expires_at + GRACE_MS,
        )

    def to_json(self) -> str:
        """As it is stored."""
        return json.dumps({
            "format": FORMAT,
            "projection": self.projection,
            "name": self.name,
            "number": self.number,
            "version": self.version,
            "partitions": self.partitions,
            "store": self.store,
            "span": self.span.stored(),
            "end": self.end,
            "expires_at": self.expires_at,
            "made_at": time_text(self.made_at),
            "made_by": self.made_by,
            "why": self.why,
            "state": self.state,
            "position": self.position,
        })  # fmt: skip

    @staticmethod
    def from_json(text: bytes | str | None) -> "ViewDefinition | None":
        """The inverse of `to_json`; None for what no release has stored, which counts as lost. Raises NewerFormat."""
        if text is None:
            return None
        try:
            stored = json.loads(text)
            require_known_format("view", stored, FORMAT)
            found = _parsed(stored)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
            return None
        return found if _is_possible(found) else None


def _parsed(stored: dict[str, Any]) -> ViewDefinition:
    span = stored["span"]
    return ViewDefinition(
        projection=stored["projection"],
        name=stored["name"],
        number=stored["number"],
        version=stored["version"],
        partitions=stored["partitions"],
        store=stored["store"],
        span=Span(_time(span["as_of"]), span["to_position"], _time(span["from_time"]), span["from_position"]),
        end=stored["end"],
        expires_at=stored["expires_at"],
        made_at=_aware(stored["made_at"]),
        made_by=stored["made_by"],
        why=stored["why"],
        state=stored["state"],
        position=stored["position"],
    )


def _is_possible(view: ViewDefinition) -> bool:
    numbers = [view.number, view.version, view.end, view.expires_at]
    optional = [view.span.to_position, view.span.from_position, view.position]
    numbers += [each for each in optional if each is not None]
    texts = [view.projection, view.name, view.store, view.made_by, *([] if view.why is None else [view.why])]
    return (
        all(type(each) is int and each >= 0 for each in numbers)
        and all(isinstance(each, str) for each in texts)
        and re.fullmatch(NAME, view.name) is not None
        and view.partitions in PARTITION_COUNTS
        and view.state in {"building", "ready"}
        and (view.state == "building" or view.position is not None)
        and view.expires_at < 1 << 46  # beyond the year 4000: no time that can be shown
    )


def _written(at: datetime | None) -> str | None:
    return None if at is None else time_text(at)


def _time(text: str | None) -> datetime | None:
    return None if text is None else _aware(text)


def _aware(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return at
