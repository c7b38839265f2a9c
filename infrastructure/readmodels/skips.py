"""Which events a projection is to treat as absent, and who says so and why: the event store holds each such word."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Annotated, Final, NamedTuple, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.eventstore.recorded_acts import RecordedActs, act_in
from infrastructure.times import time_text

SKIPS_STREAM: Final = "foldstream-skips"
SKIPPED: Final = "EventSkipped"
UNSKIPPED: Final = "EventUnskipped"
SETTING: Final = "setting"
"""The actor of skips that `FOLDSTREAM_SKIP_UNREADABLE` makes: they end when a release can read the event."""
_NONE: Final[frozenset[int]] = frozenset()


class Skip(BaseModel):
    """A word on one event of one projection, as it is stored: it is absent, or no longer so.

    `version` is the event's number in its stream. Later releases may add members.
    """

    model_config = ConfigDict(frozen=True)

    namespace: str
    projection: str
    stream: str
    version: Annotated[int, Field(ge=0)]
    event_id: UUID
    actor: str
    why: str
    at: AwareDatetime

    def described(self) -> str:
        """Since when, by whom and why."""
        return f'since {time_text(self.at)} by {self.actor} ("{self.why}")'


class Change(NamedTuple):
    """Record `number` of the skips, and whether the event that it names is absent after it."""

    number: int
    stream: str
    version: int
    absent: bool


@dataclass(frozen=True, slots=True)
class Skips:
    """What stands for one projection once `revision` records of the stream are read.

    `standing` are the skips by stream and version; `changes` are all records of the projection, in order.
    """

    revision: int = 0
    standing: Mapping[str, Mapping[int, Skip]] = field(default_factory=dict)
    changes: Sequence[Change] = ()

    def versions(self, stream: str) -> frozenset[int]:
        """The versions of the stream that count as absent."""
        found = self.standing.get(stream)
        return _NONE if found is None else frozenset(found)

    def of(self, stream: str, version: int) -> Skip | None:
        """The skip of that event, None where it counts."""
        return self.standing.get(stream, {}).get(version)

    def by(self, actor: str) -> list[Skip]:
        """Those of one actor, stream by stream."""
        return [skip for own in self.standing.values() for skip in own.values() if skip.actor == actor]

    def since(self, revision: int, concerns: Callable[[str], bool]) -> list[Change]:
        """The records from number `revision` on, of the streams of which `concerns` holds."""
        first = bisect_left(self.changes, revision, key=itemgetter(0))
        return [change for change in self.changes[first:] if concerns(change.stream)]

    def before(self, revision: int, streams: Collection[str]) -> Mapping[str, frozenset[int]]:
        """The versions of each of these streams that counted as absent before record number `revision`."""
        absent: dict[str, dict[int, bool]] = {stream: {} for stream in streams}
        for change in self.changes[: bisect_left(self.changes, revision, key=itemgetter(0))]:
            if change.stream in absent:
                absent[change.stream][change.version] = change.absent
        return {stream: frozenset(filter(found.get, found)) for stream, found in absent.items()}


AllSkips: TypeAlias = Mapping[str, Skips]
"""By the projections' names; of one that is not named nothing is skipped."""


class _SkipFold:
    def __init__(self, namespace: str) -> None:
        self._namespace: Final = namespace
        self._revision = 0
        self._known: Final[dict[str, Skips]] = {}
        self._standing: Final[defaultdict[str, dict[str, dict[int, Skip]]]] = defaultdict(dict)
        self._changes: Final[defaultdict[str, list[Change]]] = defaultdict(list)
        self._changed: Final[set[str]] = set()

    def take(self, record: Record) -> None:
        self._revision = record.version + 1
        if record.type not in {SKIPPED, UNSKIPPED}:
            return
        skip = act_in(record, Skip)
        if skip is None or skip.namespace != self._namespace:
            return
        of_stream = dict(self._standing[skip.projection].get(skip.stream, {}))
        if record.type == SKIPPED:
            of_stream[skip.version] = _first_to_stand(of_stream.get(skip.version), skip)
        elif may_end(of_stream.get(skip.version), skip.actor):
            of_stream.pop(skip.version, None)
        self._standing[skip.projection][skip.stream] = of_stream
        if not of_stream:
            del self._standing[skip.projection][skip.stream]
        self._changes[skip.projection].append(
            Change(record.version, skip.stream, skip.version, skip.version in of_stream)
        )
        self._changed.add(skip.projection)

    def state(self) -> AllSkips:
        for name in self._changed:
            self._known[name] = Skips(self._revision, dict(self._standing[name]), tuple(self._changes[name]))
        self._changed.clear()
        return {name: replace(skips, revision=self._revision) for name, skips in self._known.items()}


def _first_to_stand(standing: Skip | None, skip: Skip) -> Skip:
    """An operator's word takes the place of the setting's, which a later release may end."""
    return skip if standing is None or (standing.actor == SETTING and skip.actor != SETTING) else standing


def may_end(standing: Skip | None, actor: str) -> bool:
    """Whether the actor may end the skip: the setting ends its own alone."""
    return standing is not None and (actor != SETTING or standing.actor == SETTING)


def recorded_skips(namespace: str) -> RecordedActs[AllSkips]:
    """The skips of one namespace, as they are recorded."""
    return RecordedActs(SKIPS_STREAM, lambda: _SkipFold(namespace))


def record_of_skip(skips: AllSkips, skip: Skip, *, skipped: bool) -> NewRecord | None:
    """What has to be appended so that the event is skipped, or is so no longer; None where nothing has to."""
    standing = skips.get(skip.projection, Skips()).of(skip.stream, skip.version)
    if skipped and (standing is None or _first_to_stand(standing, skip) is skip):
        return NewRecord(SKIPPED, skip.model_dump_json().encode())
    if not skipped and may_end(standing, skip.actor):
        return NewRecord(UNSKIPPED, skip.model_dump_json().encode())
    return None
