"""Loads what secure mode needs: a certificate with its key, and users."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from infrastructure.embedded.eventstoredb.access.logins import Logins
from infrastructure.embedded.eventstoredb.access.security import Security
from infrastructure.embedded.eventstoredb.errors import StartRefused


@dataclass(frozen=True, slots=True)
class Guard:
    """Secure mode as a server uses it."""

    tls: ssl.SSLContext
    logins: Logins

    @classmethod
    def load(cls, security: Security) -> "Guard":
        """Raises StartRefused."""
        return cls(_tls(security.certificate, security.key), Logins(security.users))


def _tls(certificate: Path, key: Path) -> ssl.SSLContext:
    for path in (certificate, key):
        _check_readable(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2", "http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password="")  # an encrypted key must not ask at the terminal
    except (ssl.SSLError, ValueError) as error:
        reason = f"is no certificate, or {key} is not its unencrypted private key (both as PEM)"
        raise StartRefused(reason, path=certificate) from error
    return context


def _check_readable(path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise StartRefused(f"can't be read: {error.strerror}", path=path) from error
