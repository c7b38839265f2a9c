"""Settings that are texts, lists of such, files and addresses."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from infrastructure.uri import shown_uri, without_file
from service.settings.kind import Kind

_SCHEME: Final = "://"


@dataclass(frozen=True)
class Text(Kind):
    """One that a pattern matches; `form` says in words what that is."""

    pattern: str
    form: str

    @property
    def allowed(self) -> str:
        return self.form

    def checked(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise ValueError(f"should be {self.form}")
        return value


VISIBLE: Final = Text(r"[\x21-\x7e]{1,256}", "1 to 256 visible ASCII characters")
"""Names that others give out, and hosts."""


@dataclass(frozen=True)
class Names(Kind):
    """Some names; `known` are all that there may be, none where that is for others to say."""

    known: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        return f"{'some of these' if self.known else 'names'}, with commas between"

    def of_text(self, text: str) -> tuple[str, ...]:
        return self.checked(tuple(name.strip() for name in text.split(",")))

    def of_toml(self, value: object, folder: Path) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise ValueError('should be a list of names, such as ["one", "other"]')
        return self.checked(tuple(value))

    def as_json(self, value: tuple[str, ...]) -> list[str]:
        return list(value)

    def checked(self, value: tuple[str, ...]) -> tuple[str, ...]:
        if self.known and not set(value) <= set(self.known):
            raise ValueError(f"should be some of {', '.join(self.known)}, with commas")
        return value

    def shown(self, value: tuple[str, ...]) -> str:
        return ",".join(value)


@dataclass(frozen=True)
class YesOrNo(Kind):
    """`yes` or `no`."""

    @property
    def allowed(self) -> str:
        return "`yes` or `no`"

    def of_text(self, text: str) -> bool:
        if text not in {"yes", "no"}:
            raise ValueError("should be yes or no")
        return text == "yes"

    def of_toml(self, value: object, folder: Path) -> bool:
        if not isinstance(value, bool):
            raise ValueError("should be true or false")
        return value

    def as_json(self, value: bool) -> bool:
        return value

    def shown(self, value: bool) -> str:
        return "yes" if value else "no"


@dataclass(frozen=True)
class FilePath(Kind):
    """The path of a file."""

    @property
    def allowed(self) -> str:
        return "a file"

    def of_toml(self, value: object, folder: Path) -> str:
        return _path_in(folder, value)


@dataclass(frozen=True)
class FileOrAddress(Kind):
    """The path of a file, or an address without a login."""

    @property
    def allowed(self) -> str:
        return "a file, or an `https://` address"

    def of_toml(self, value: object, folder: Path) -> str:
        return self.checked(value) if isinstance(value, str) and is_address(value) else _path_in(folder, value)

    def shown(self, value: str) -> str:
        return _without_query(value) if is_address(value) else value

    def checked(self, value: str) -> str:
        if is_address(value) and not _is_usable_address(value):
            raise ValueError("should be the path of a file, or an https:// address without a login")
        return value


@dataclass(frozen=True)
class Address(Kind):
    """An address of HTTP without a login."""

    example: str

    @property
    def allowed(self) -> str:
        return f"an address, such as `{self.example}`"

    def checked(self, value: str) -> str:
        if not _is_usable_address(value):
            raise ValueError(f"should be an address such as {self.example}, without a login")
        return value

    def shown(self, value: str) -> str:
        return _without_query(value)


@dataclass(frozen=True)
class Uri(Kind):
    """The URI of a server, which may hold a password. `require` raises ValueError for one that can't be used."""

    require: Callable[[str], None]

    @property
    def allowed(self) -> str:
        return "[a URI](#the-two-uris)"

    def of_text(self, text: str) -> str:
        self.require(text)
        return text

    def checked(self, value: str) -> str:
        self.require(without_file(value))
        return value

    def shown(self, value: str) -> str:
        return shown_uri(without_file(value))


def is_address(text: str) -> bool:
    """Whether it is an address, else a file."""
    return _SCHEME in text


def _without_query(address: str) -> str:
    """An address without what may be a secret behind its question mark."""
    before, question, _ = address.partition("?")
    return f"{before}?…" if question else before


def _path_in(folder: Path, path: object) -> str:
    if not isinstance(path, str) or not path:
        raise ValueError("should be the path of a file, in quotes")
    return str(folder / path)


def _is_usable_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:
        return False
