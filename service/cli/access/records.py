"""Puts on record which verb is run on what, by whom, before it gets at a server; and whom it was refused."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from domain.stream_name import DEFAULT_TENANT, access_stream
from infrastructure.access.caller import Caller
from service.access.action import Action
from service.errors import NoStore
from service.settings import Settings

_SECONDS: Final = 5.0
_WHATEVER: Final = "*"


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who wants to do what to what; `given` are the arguments of the verb and its `tenant`, by their names."""

    caller: Caller
    action: Action
    given: Mapping[str, Any]
    data: Path

    @property
    def resource(self) -> str:
        """What it is done to, as it is over HTTP where there is such a call; `*` where nothing is named.

        What is not the default tenant's has its tenant in front, as the names of streams do.
        """
        named = [_text(value) for name, value in self.given.items() if value and name != "tenant"]
        if "instance" in self.given:
            named = ["-".join((*named, _WHATEVER)[:2])]
        if self.action is Action.READ_TRACE:
            named.insert(0, "trace")
        tenant, told = self.given.get("tenant", DEFAULT_TENANT), " ".join(named) or _WHATEVER
        return told if tenant == DEFAULT_TENANT else f"{tenant}.{told}"


_ATTEMPT: Final = ContextVar[Attempt | None]("_ATTEMPT", default=None)
"""What is not on record yet: it will be before the verb gets the address of a server."""


def announce_attempt(attempt: Attempt | None) -> None:
    """Has it put on record by the next `record_attempt`; None: nothing. What is wrong usage gets no further."""
    _ATTEMPT.set(attempt)


def record_attempt(settings: Settings) -> None:
    """Puts on record what was announced, once. Raises NoStore, StoreUnavailable: then nothing may be done."""
    attempt = _ATTEMPT.get()
    if attempt is not None:
        _ATTEMPT.set(None)
        _append(attempt, settings, None)


def record_refusal(attempt: Attempt, settings: Settings, rule: str) -> None:
    """Puts on record that it was refused by a rule. Raises as `record_attempt`."""
    _append(attempt, settings, rule)


def _append(attempt: Attempt, settings: Settings, refused_by: str | None) -> None:
    from infrastructure.access.access_entry import Asked, entry_of, record_with  # noqa: PLC0415 - most verbs are not recorded
    from infrastructure.eventstore.append_messages import ANY_VERSION  # noqa: PLC0415 - as above
    from infrastructure.eventstore.log_reader import open_reader  # noqa: PLC0415 - as above

    if settings.eventstore_uri is None:
        raise NoStore(attempt.data)
    asked = Asked(attempt.action.value, attempt.resource, "cli", uuid4())
    entry = entry_of(attempt.caller, asked, datetime.now(UTC), refused_by)
    with open_reader(settings.eventstore) as store:
        store.append(access_stream(entry.at.date()), ANY_VERSION, record_with(entry), _SECONDS)


def _text(value: object) -> str:
    from service.history.sources import stream_called  # noqa: PLC0415 - it loads all that is folded

    return " ".join(map(stream_called, value)) if isinstance(value, list) else stream_called(str(value))
