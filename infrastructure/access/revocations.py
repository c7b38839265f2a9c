"""Which tokens count no more before they expire, and who says so and why: the event store holds each such word."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

from domain.stream_name import DEFAULT_TENANT
from infrastructure.access.caller import Caller
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.eventstore.recorded_acts import RecordedActs, act_in

REVOCATIONS_STREAM: Final = "foldstream-revocations"
REVOKED: Final = "TokenRevoked"


class Revocation(BaseModel):
    """A word on one token, by its id, or on those of a subject of a tenant, as it is stored.

    Of a subject those issued before `before` are meant, and those that do not say when. Nothing has to be remembered
    of it after `until`, when all that it means have expired. Later releases may add members.
    """

    model_config = ConfigDict(frozen=True)

    token_id: str | None = None
    subject: str | None = None
    tenant: str = DEFAULT_TENANT
    before: AwareDatetime | None = None
    until: AwareDatetime
    actor: str
    why: str
    at: AwareDatetime

    def record(self) -> NewRecord:
        """What is appended."""
        return NewRecord(REVOKED, self.model_dump_json(exclude_none=True).encode())


@dataclass(frozen=True, slots=True)
class Revocations:
    """What is revoked: ids of tokens, and by tenant and subject before when (in seconds since 1970)."""

    token_ids: frozenset[str] = frozenset()
    subjects: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def cover(self, caller: Caller) -> bool:
        """Whether the caller's token is revoked."""
        if caller.token_id is not None and caller.token_id in self.token_ids:
            return True
        before = self.subjects.get((caller.tenant, caller.subject))
        return before is not None and (caller.issued_at is None or caller.issued_at < before)


NOTHING_REVOKED: Final = Revocations()


class _RevocationFold:
    """Keeps what still matters by `clock`, in seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock: Final = clock
        self._tokens: Final[dict[str, float]] = {}
        self._subjects: Final[dict[tuple[str, str], tuple[float, float]]] = {}
        self._state: Revocations | None = NOTHING_REVOKED
        self._first_end = inf

    def take(self, record: Record) -> None:
        word = act_in(record, Revocation) if record.type == REVOKED else None
        if word is None or (until := word.until.timestamp()) <= self._clock():
            return
        if word.token_id is not None:
            self._tokens[word.token_id] = max(until, self._tokens.get(word.token_id, 0.0))
        if word.subject is not None:
            whose = (word.tenant, word.subject)
            before, known = self._subjects.get(whose, (0.0, 0.0))
            self._subjects[whose] = max(before, (word.before or word.at).timestamp()), max(until, known)
        self._state, self._first_end = None, min(until, self._first_end)

    def state(self) -> Revocations:
        if self._first_end <= self._clock():
            self._forget(self._clock())
        if self._state is None:
            subjects = {whose: before for whose, (before, _) in self._subjects.items()}
            self._state = Revocations(frozenset(self._tokens), subjects)
        return self._state

    def _forget(self, now: float) -> None:
        for token_id in [token_id for token_id, until in self._tokens.items() if until <= now]:
            del self._tokens[token_id]
        for whose in [whose for whose, (_, until) in self._subjects.items() if until <= now]:
            del self._subjects[whose]
        ends = (*self._tokens.values(), *(until for _, until in self._subjects.values()))
        self._state, self._first_end = None, min(ends, default=inf)


def recorded_revocations(clock: Callable[[], float]) -> RecordedActs[Revocations]:
    """What is revoked, as it is recorded."""
    return RecordedActs(REVOCATIONS_STREAM, lambda: _RevocationFold(clock))
