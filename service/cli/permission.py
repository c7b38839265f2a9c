"""Asks whether whoever runs a verb may do it, before it does anything, and has it put on record."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from domain.stream_name import names_tenant
from infrastructure.eventstore.errors import StoreUnavailable
from service.access.action import Action
from service.access.policy import may
from service.access.recorded import RECORDED
from service.cli.access.records import Attempt, announce_attempt, record_refusal
from service.cli.callers import caller_of_command_line
from service.cli.operator_act import SUBJECT
from service.cli.options import DEFAULT_DATA
from service.cli.surroundings import settings_at
from service.errors import NoStore, NotAllowed
from service.settings import Settings

_OF_STREAMS: Final = frozenset({Action.READ_HISTORY, Action.READ_TRACE, Action.EXPORT_HISTORY})


@contextmanager
def permitted(action: Action, data: Path | None, given: Mapping[str, Any], *, is_part: bool = False) -> Iterator[None]:
    """While the block lasts, what is done is done by the subject of the token that is presented, if one is.

    `given` are the arguments of the verb and its `tenant`. A process that does a part of what another was asked for is
    not recorded again.

    It guards against mistakes only: whoever has the event store's own credentials can act on it by other means. Raises
    NotAllowed, also for a tenant that the token presented is not of, and where the refusal can't be put on record; and
    what `caller_of_command_line` raises.
    """
    settings = settings_at(data)
    attempt = Attempt(caller_of_command_line(settings), action, given, data or DEFAULT_DATA)
    is_recorded = action in RECORDED and not is_part
    if not may(attempt.caller, action).allowed or _is_another_tenant_s(attempt, settings):
        raise _refused(attempt, settings, is_recorded=is_recorded)
    announce_attempt(attempt if is_recorded else None)
    before = SUBJECT.set(None if settings.token_file is None else attempt.caller.subject)
    try:
        yield
    finally:
        SUBJECT.reset(before)


def _is_another_tenant_s(attempt: Attempt, settings: Settings) -> bool:
    """Whether a token is presented for what is not its tenant's.

    A stream's whole name, with a tenant in front, is for those without a token.
    """
    if settings.token_file is None:
        return False
    own = attempt.caller.tenant
    if attempt.given.get("tenant", own) != own:
        return True
    return attempt.action in _OF_STREAMS and any(
        isinstance(each, str) and names_tenant(each) for each in attempt.given.values()
    )


def _refused(attempt: Attempt, settings: Settings, *, is_recorded: bool) -> NotAllowed:
    refusal = NotAllowed(attempt.caller.subject, attempt.action)
    try:
        if is_recorded:
            record_refusal(attempt, settings, "forbidden")
    except (StoreUnavailable, NoStore) as error:  # nothing is done either way
        refusal.__cause__ = error
    return refusal
