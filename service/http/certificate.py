"""The certificate of the API with its key, from files that may change while it runs."""

import asyncio
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509

from infrastructure.file_state import FileState, file_state
from infrastructure.times import time_text
from service.settings import Settings, SettingsError, variable_of

_LOOK_SECONDS: Final = 1.0
_OTHERS_MAY_READ: Final = 0o077
_log: Final = structlog.stdlib.get_logger("foldstream.http")


class CertificateUnusable(Exception):
    """`file` is the one that is wrong, or that of the certificate where the two don't go together."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


class Certificate:
    """What the API proves itself by. Connections that are made after a change of the files get the new one."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises CertificateUnusable."""
        self._files: Final = (certificate, key)
        self._seen = self._changed()
        self.context, self._ends = _checked(certificate, key)
        if key.stat().st_mode & _OTHERS_MAY_READ:
            _log.warning("certificate_key_readable_by_others", file=str(key))

    def expiry(self) -> float:
        """When the one in use ends, in seconds since 1970."""
        return self._ends.timestamp()

    async def follow(self) -> None:
        """Takes up what changes in the files, within some seconds; never ends. What is broken is told of once."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            changed = self._changed()
            if changed != self._seen:
                self._seen = changed
                self._take_up()

    def _take_up(self) -> None:
        try:
            _, ends = _checked(*self._files)  # a context that took half of it would be of no use
            self.context.load_cert_chain(*self._files, password=_no_password)
            self._ends = ends
        except (CertificateUnusable, OSError) as error:
            _log.warning("certificate_unusable", reason=str(error), consequence="the one before is used")
        else:
            _log.info("certificate_changed", file=str(self._files[0]))

    def _changed(self) -> tuple[FileState | None, ...]:
        return tuple(file_state(file) for file in self._files)


def certificate_of(settings: Settings) -> Certificate | None:
    """The certificate that the settings name; None where the API speaks plain HTTP.

    Raises SettingsError for one without the other, and for what can't be used.
    """
    named = {name: getattr(settings, name) for name in ("tls_certificate_file", "tls_key_file")}
    missing = [name for name, file in named.items() if file is None]
    if len(missing) == len(named):
        return None
    if missing:
        raise SettingsError(variable_of(missing[0]), "is not set; a certificate and its key go together")
    try:
        return Certificate(*map(Path, named.values()))
    except CertificateUnusable as error:
        name = next(name for name, file in named.items() if Path(file) == error.file)
        raise SettingsError(settings.place_of(name), str(error)) from error


def _checked(certificate: Path, key: Path) -> tuple[ssl.SSLContext, datetime]:
    """A context of their own, and when the certificate ends. Raises CertificateUnusable."""
    if (ended := _end_of(certificate)) <= datetime.now(UTC):
        raise CertificateUnusable(certificate, f"the certificate ended at {time_text(ended)}")
    _read(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        raise CertificateUnusable(key, "is no unencrypted key in PEM of that certificate") from error
    return context, ended


def _no_password() -> str:
    """Else a key that is encrypted would be asked for on the terminal."""
    return ""


def _end_of(file: Path) -> datetime:
    """When the certificate ends, the first of its chain."""
    content = _read(file)
    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise CertificateUnusable(file, "holds no certificate in PEM") from error
    return found[0].not_valid_after_utc


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CertificateUnusable(file, (error.strerror or "it can't be read").lower()) from error
