"""Reads a server's URI strictly, for both kinds of server: nothing in it is passed over, no error repeats a secret."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

_ENCODED: Final = "in user and password all but letters, digits and -._~ has to be percent-encoded, as %40 for @"
_WRONG_PERCENT: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_UNSEEN: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")
_OPTION: Final = re.compile("[A-Za-z_]{1,40}")
_LOGIN: Final = re.compile(r"(?<=://).+(?=@)")  # as far as the last @: a password may have any character
_SECRET: Final = re.compile("(?i).*(password|username)")
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class ServerUri:
    """The parts of a URI: user, password and options without their encoding, `hosts` as they stand there."""

    scheme: str
    user: str | None
    password: str | None
    hosts: str
    path: str
    options: Mapping[str, str]


def read_uri(uri: str) -> ServerUri:
    """The parts of a server's URI. Raises ValueError, which says in words what is wrong and repeats no part of it.

    An option has a name that may be repeated, a value, and stands there once.
    """
    _require_readable_text(uri)
    parts = _split(uri)
    user_info, at, hosts = parts.netloc.rpartition("@")
    if "@" in user_info or (not at and "@" in f"{parts.path}{parts.query}{parts.fragment}"):
        raise ValueError(f"has an @ at the wrong place: {_ENCODED}")
    if parts.fragment:
        raise ValueError(f"has a # in it: {_ENCODED}")
    user, colon, password = user_info.partition(":")
    return ServerUri(
        scheme=parts.scheme,
        user=_decoded(user) if at else None,
        password=_decoded(password) if colon else None,
        hosts=hosts,
        path=_decoded(parts.path),
        options=_options(parts.query),
    )


def without_logins(text: str) -> str:
    """The line with `…` in place of users and passwords, and of all that stands between two URIs that have some."""
    return _LOGIN.sub("…", text)


def shown_uri(uri: str) -> str:
    """A URI that can be read, with `…` in place of its user and of each option that is secret."""
    parts = read_uri(uri)
    login = "" if parts.user is None else "…@"
    shown = {name: "…" if _SECRET.fullmatch(name) else value for name, value in parts.options.items()}
    options = "&".join(f"{name}={value}" for name, value in shown.items())
    return f"{parts.scheme}://{login}{parts.hosts}{parts.path}{'?' if options else ''}{options}"


def kept_in(uri: str, file: str) -> str:
    """The URI with the file that it stands in, as its fragment: there its login is read again."""
    return f"{uri}#{quote(str(Path(file).absolute()))}"


def has_file(uri: str) -> bool:
    """Whether it is a URI with its file."""
    return "#" in uri


def without_file(uri: str) -> str:
    """The URI alone."""
    return uri.partition("#")[0]


def read_host(text: str) -> tuple[str, int | None]:
    """A host and its port, None where it has none. Raises ValueError."""
    found = _HOST.fullmatch(text)
    if found is None:
        raise ValueError(f"names no host, or a host or port that can't be one; {_ENCODED}")
    port = None if found[2] is None else int(found[2])
    if port is not None and not 1 <= port <= 65_535:
        raise ValueError("has a port that is not from 1 to 65535")
    return found[1], port


def require_number(option: str, value: str, lowest: int, highest: int) -> None:
    """Raises ValueError where an option's value is no whole number within these bounds."""
    if not re.fullmatch("[0-9]{1,10}", value) or not lowest <= int(value) <= highest:
        raise ValueError(f"has the option {option}, which should be a whole number from {lowest} to {highest}")


def require_one_of(option: str, value: str, *values: str) -> None:
    """Raises ValueError where an option has none of these values, letter by letter."""
    if value not in values:
        raise ValueError(f"has the option {option}, which should be {' or '.join(values)}")


def require_authority(option: str, file: str) -> None:
    """Raises ValueError where a file can't be read or holds no certificates."""
    require_readable(option, file)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except ssl.SSLError:
        raise ValueError(f"names a {option} that holds no certificate in PEM") from None


def require_readable(option: str, file: str) -> None:
    """Raises ValueError where a file can't be read."""
    try:
        Path(file).read_bytes()
    except OSError as error:
        raise ValueError(f"names a {option} that can't be read: {error.strerror}") from None


def require_key_pair(options: Mapping[str, str], certificate: str, key: str, password: str = "") -> None:
    """Raises ValueError where only one of these options is there, or a certificate can't be used with its key.

    `password` is the option with the key's password; without one the key has to be unencrypted.
    """
    if (certificate in options) != (key in options):
        raise ValueError(f"needs {certificate} and {key} together")
    if password in options and key not in options:
        raise ValueError(f"has the option {password} without a {key}")
    if certificate in options:
        _require_chain(options[certificate], options[key], options.get(password, ""), f"{certificate} and a {key}")


def unknown_option(name: str, known: Mapping[str, object]) -> ValueError:
    """The error for an option that is not known."""
    return ValueError(f"has the unknown option {name}; known are {', '.join(known)}")


def _require_chain(certificate: str, key: str, password: str, names: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_cert_chain(certificate, key, password=password)
    except (OSError, ValueError):
        with_password = " with this password" if password else ""
        raise ValueError(f"names a {names} that don't belong together{with_password}") from None


def _require_readable_text(uri: str) -> None:
    if _UNSEEN.search(uri):
        raise ValueError("has white space or a control character in it")
    if not uri.isprintable():
        raise ValueError("has a character in it that is not UTF-8 or can't be printed")
    if _WRONG_PERCENT.search(uri):
        raise ValueError("has a % that begins no percent-encoding; a % itself is %25")


def _split(uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError:
        raise ValueError(f"can't be taken apart: {_ENCODED}") from None


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("has a percent-encoding in it that is not UTF-8") from None


def _options(query: str) -> Mapping[str, str]:
    options: dict[str, str] = {}
    for name, value in _pairs(query):
        if not _OPTION.fullmatch(name):
            raise ValueError(f"has something behind its ? that is no option; {_ENCODED}")
        if not value:
            raise ValueError(f"has the option {name} without a value")
        if name.lower() in (known.lower() for known in options):
            raise ValueError(f"has the option {name} twice")
        options[name] = value
    return options


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("has a percent-encoding in it that is not UTF-8") from None
