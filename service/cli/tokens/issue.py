"""Prints tokens that are signed by a development key."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from infrastructure.access.caller import Caller
from infrastructure.access.development_key import development_token
from infrastructure.access.errors import Unauthenticated
from infrastructure.terminal import print_json, print_line
from infrastructure.times import time_text
from service.access.policy import ROLES
from service.cli.operator_act import login_name
from service.cli.surroundings import settings_at
from service.errors import NoDevelopmentKey
from service.settings import Settings
from service.token_verifier import require_usable_keys, token_rules, token_verifier


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom a token is to name, and for how many seconds; None: whoever runs this process."""

    subject: str | None
    roles: Sequence[str]
    tenant: str
    seconds: int


def print_token(data: Path, wanted: Wanted, *, as_json: bool) -> int:
    """Prints a token, for the login name where no subject is named.

    Raises NoDevelopmentKey, SettingsError, KeysUnusable, and BadParameter for a token that nobody would take.
    """
    _require_known(wanted.roles)
    settings = settings_at(data)
    require_usable_keys(settings)
    if settings.development_key is None:
        raise NoDevelopmentKey(data)
    asked = Caller(wanted.subject or login_name(), frozenset(wanted.roles), wanted.tenant)
    key, now = Path(settings.development_key), time.time()
    token = development_token(key, asked, token_rules(settings), now, wanted.seconds)
    caller = _taken(settings, token)
    if as_json:
        print_json(_answer(token, caller))
    else:
        print_line(token)
    return 0


def _require_known(roles: Sequence[str]) -> None:
    """Raises BadParameter for the first that no policy knows: it would allow nothing, and nobody would be told."""
    if unknown := [role for role in roles if role not in ROLES]:
        raise typer.BadParameter(f"there is no role {unknown[0]!r}; there are: {', '.join(ROLES)}")


def _taken(settings: Settings, token: str) -> Caller:
    try:
        return token_verifier(settings).caller_of(token)
    except Unauthenticated as error:
        raise typer.BadParameter(error.reason) from error


def _answer(token: str, caller: Caller) -> dict[str, object]:
    return {
        "token": token,
        "subject": caller.subject,
        "roles": sorted(caller.roles),
        "tenant": caller.tenant,
        "jti": caller.token_id,
        "expires_at": time_text(datetime.fromtimestamp(caller.expires_at or 0.0, UTC)),
    }
