"""The file that a server's URI stands in, where its login is read again: a password changes without a restart."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import structlog

from infrastructure.file_state import FileState, file_state
from infrastructure.uri import ServerUri, read_uri

_LOGIN_OPTIONS: Final = frozenset({"username", "password"})
_NEVER: Final[FileState] = (0, 0, 0)
_logger: Final = structlog.get_logger(__name__)


class UriFile:
    """A URI as its file says it by now.

    What can't be used, or says more than another login, changes nothing, and is told of in the log.
    """

    def __init__(self, uri: str, require: Callable[[str], None]) -> None:
        """`require` raises ValueError for a URI that can't be used."""
        self._uri, _, file = uri.partition("#")
        self._path: Final = Path(unquote(file))
        self._require: Final = require
        self._seen: FileState | None = _NEVER
        self._lock: Final = threading.Lock()

    def current(self) -> str:
        """The URI; its file is read again where that has changed. Other threads wait for that."""
        with self._lock:
            seen = file_state(self._path)
            if seen != self._seen:
                self._seen = seen
                self._look()
            return self._uri

    def _look(self) -> None:
        try:
            if self._path.exists() and not self._path.is_file():
                return  # a pipe, which is read once
            found = self._path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
            self._require(found)
            _require_same_server(found, self._uri)
        except OSError as error:
            self._tell((error.strerror or "it can't be read").lower())
        except UnicodeDecodeError:
            self._tell("is no text in UTF-8")
        except ValueError as error:
            self._tell(str(error))
        else:
            self._take_up(found)

    def _take_up(self, found: str) -> None:
        if found != self._uri:
            self._uri = found
            _logger.info("login_changed", file=str(self._path))

    def _tell(self, reason: str) -> None:
        _logger.warning(
            "uri_file_unusable", file=str(self._path), reason=reason, consequence="the login before is used"
        )


@cache
def uri_file(uri: str, require: Callable[[str], None]) -> UriFile:
    """The file of a URI, which all connections of a process share: what is told of is told once."""
    return UriFile(uri, require)


def login_in(uri: str) -> tuple[str | None, str | None]:
    """The user and the password in a URI, before its host or as options."""
    parts = read_uri(uri)
    return parts.user or parts.options.get("username"), parts.password or parts.options.get("password")


def _require_same_server(found: str, before: str) -> None:
    if _server_in(found) != _server_in(before):
        raise ValueError("says more than another login, which takes a restart")


def _server_in(uri: str) -> ServerUri:
    parts = read_uri(uri)
    return replace(parts, user=None, password=None, options=_without_login(parts.options))


def _without_login(options: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in options.items() if name not in _LOGIN_OPTIONS}
