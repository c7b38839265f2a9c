"""Records that tokens count no more, and prints it."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer

from infrastructure.access.claims import LONGEST_LEEWAY, LONGEST_LIFE, is_visible
from infrastructure.access.revocations import Revocation, record_revocation
from infrastructure.terminal import print_json, print_line, require_output
from infrastructure.times import time_text
from service.cli.connections import connected, streams_of
from service.cli.operator_act import Act
from service.cli.surroundings import store_uri


@dataclass(frozen=True, slots=True)
class Meant:
    """A token by its id, or those of a subject of a tenant, issued before a time (None: now)."""

    token_id: str | None
    subject: str | None
    tenant: str
    before: datetime | None


def revoke(data: Path, meant: Meant, act: Act, *, as_json: bool) -> int:
    """Raises BadParameter, NoStore, and what reading and appending raise."""
    revocation = _revocation(meant, act, datetime.now(UTC))
    require_output()
    asyncio.run(_recorded(store_uri(data), revocation))
    told = revocation.model_dump(mode="json", include={"token_id", "subject", "tenant", "before"}, exclude_none=True)
    act.log("token_revoked", **told)
    if as_json:
        print_json({"jti": revocation.token_id, "subject": revocation.subject, "tenant": revocation.tenant})
    else:
        print_line(_said(revocation))
    return 0


def _revocation(meant: Meant, act: Act, now: datetime) -> Revocation:
    if (meant.token_id is None) == (meant.subject is None):
        raise typer.BadParameter("give either --jti ID or --subject TEXT")
    if not is_visible(meant.token_id or meant.subject or ""):
        raise typer.BadParameter("a token's id and its subject are 1 to 128 visible ASCII characters")
    if meant.before is not None and (meant.subject is None or meant.before > now):
        raise typer.BadParameter("--before is a time that has passed, and goes with --subject")
    return Revocation(
        token_id=meant.token_id,
        subject=meant.subject,
        tenant=meant.tenant,
        before=None if meant.subject is None else meant.before or now,
        until=now + timedelta(seconds=LONGEST_LIFE + LONGEST_LEEWAY),
        actor=act.actor,
        why=act.why or "",
        at=now,
    )


async def _recorded(uri: str, revocation: Revocation) -> None:
    async with connected(uri) as client, streams_of(client) as streams:
        await record_revocation(streams, revocation)


def _said(revocation: Revocation) -> str:
    if revocation.before is None:
        return f"The token {revocation.token_id} is revoked."
    whose = f"{revocation.subject} of the tenant {revocation.tenant}"
    return f"The tokens of {whose} that were issued before {time_text(revocation.before)} are revoked."
