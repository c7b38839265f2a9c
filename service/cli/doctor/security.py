"""Who the event store lets in, and until when the certificates of servers hold. Every try is a read."""

import asyncio
import json
import re
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from cryptography import x509

from infrastructure.eventstore.errors import StoreUnavailable, StreamGone
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.uri import address_in
from infrastructure.readmodels.uri import nodes_in
from infrastructure.uri import read_uri, without_file
from service.cli.connections import connected
from service.cli.doctor.findings import Finding, fail, ok, skipped, warn
from service.settings import Settings

_SECONDS: Final = 5.0
_KNOWN_LOGINS: Final = ("admin:changeit", "ops:changeit")
_LOOPBACK: Final = re.compile(r"(127\.[0-9.]+|localhost|\[::1\])(:|$)")
_REFUSED: Final = re.compile("UNAUTHENTICATED|PERMISSION_DENIED|access ?denied", re.IGNORECASE)
_SETTINGS_STREAM: Final = "$settings"
_WARN_DAYS: Final = 30


async def users(uri: str) -> Finding:
    """Reads the end of the log as each user that a new event store has, with the password that it has."""
    if not _is_secure(uri):
        return _open_store("users", uri)
    try:
        taken = [login for login in _KNOWN_LOGINS if await _is_taken(uri, login)]
    except StoreUnavailable as error:
        return warn("users", f"not known: {error.reason}", "try again once the event store answers")
    if not taken:
        return ok("users", "the passwords of a new event store are refused")
    names = " and ".join(login.partition(":")[0] for login in taken)
    return fail("users", f"the password of a new event store is taken for {names}", "change it in the event store")


async def acls(uri: str) -> Finding:
    """By the default lists of the store, which name who may use streams that have no list of their own."""
    if not _is_secure(uri):
        return _open_store("acls", uri)
    try:
        async with connected(uri) as client:
            records = await Log(client).of_stream(_SETTINGS_STREAM, 0, 500)
    except StoreUnavailable as error:
        return warn("acls", f"not known: {_SETTINGS_STREAM} can't be read: {error.reason}", "look as an administrator")
    except StreamGone:
        records = None
    if records and _is_restricted(records[-1].data):
        return ok("acls", f"{_SETTINGS_STREAM} names who may read and write streams")
    advice = f"write a $userStreamAcl with $r and $w to {_SETTINGS_STREAM}"
    return warn("acls", "any user of the event store may read and write every stream", advice)


def _is_restricted(settings: bytes) -> bool:
    """Whether neither reading nor writing is left to all; a list that is not there leaves it to them."""
    try:
        rights = json.loads(settings)["$userStreamAcl"]
        lists = [rights["$r"], rights["$w"]]
    except (KeyError, TypeError, ValueError):
        return False
    return all("$all" not in names for names in lists)


async def certificates(settings: Settings) -> list[Finding]:
    """Of each server that is spoken to by TLS, whose signer the client checks, and of the API."""
    addresses = (
        [] if not _is_secure(settings.eventstore) else [*map(_split, address_in(settings.eventstore).split(","))]
    )
    if settings.redis.startswith("rediss"):
        addresses += nodes_in(settings.redis)
    found = await asyncio.gather(*(asyncio.to_thread(_of_server, *each) for each in addresses))
    own = [] if settings.tls_certificate_file is None else [_of_api(Path(settings.tls_certificate_file))]
    return [*found, *own] or [ok("certificates", "no server is spoken to by TLS, and the API speaks plain HTTP")]


def days_left(pem: str, now: datetime) -> float:
    """How many days a certificate still holds; below 0 where it has ended."""
    return (x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc - now).total_seconds() / 86_400


def _of_server(host: str, port: int) -> Finding:
    try:
        pem = ssl.get_server_certificate((host, port), timeout=_SECONDS)
    except (OSError, ValueError) as error:
        return skipped("certificates", f"{host}:{port}: {error}")
    return _judged(f"{host}:{port}", days_left(pem, datetime.now(UTC)))


def _of_api(file: Path) -> Finding:
    """The certificate that the API presents: the first in the file."""
    try:
        days = days_left(file.read_text(encoding="ascii"), datetime.now(UTC))
    except (OSError, ValueError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else "holds no certificate in PEM"
        return fail("certificates", f"{file}: {reason}", "let FOLDSTREAM_TLS_CERTIFICATE_FILE name one")
    return _judged(str(file), days)


def _judged(whose: str, days: float) -> Finding:
    if days < 0:
        return fail("certificates", f"{whose}: it ended {-days:.0f} days ago", "replace it")
    if days < _WARN_DAYS:
        return warn("certificates", f"{whose}: it ends in {days:.0f} days", "replace it")
    return ok("certificates", f"{whose}: {days:.0f} days are left")


async def _is_taken(uri: str, login: str) -> bool:
    """Raises StoreUnavailable where the store says neither yes nor no."""
    parts = urlsplit(without_file(uri))
    known = urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))
    try:
        async with connected(known) as client:
            await Log(client).end(_SECONDS)
    except StoreUnavailable as error:
        if _REFUSED.search(error.reason):
            return False
        raise
    return True


def _open_store(check: str, uri: str) -> Finding:
    """A store without TLS has no users."""
    if all(map(_LOOPBACK.match, address_in(uri).split(","))):
        return ok(check, "it asks for no user, and is on this machine")
    advice = "run it in secure mode; networks must keep others from it until then"
    return warn(check, "the event store is spoken to without TLS: whoever reaches it may do everything", advice)


def _is_secure(uri: str) -> bool:
    options = {name.lower(): value.lower() for name, value in read_uri(without_file(uri)).options.items()}
    return options.get("tls", "true") == "true"


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
