"""The file of users: one line for each, a name and the hash of a password."""

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

from infrastructure.embedded.eventstoredb.access.passwords import PasswordHash
from infrastructure.embedded.eventstoredb.errors import StartRefused

_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_MOST_PASSWORD_BYTES = 1024


def load_users(path: Path) -> dict[str, PasswordHash]:
    """The users of a file, at least one. Raises StartRefused."""
    users = _read(path)
    if not users:
        raise StartRefused("there is no user in it; `foldstream eventstore passwd FILE USER` adds one", path=path)
    return users


def set_password(path: Path, user: str, password: str) -> None:
    """Adds a user to the file, which is made if there is none, or changes the password. Raises StartRefused.

    The file is replaced as a whole, so that a running server reads the old one or the new one.
    """
    _check(user, password)
    path = path.resolve()
    try:
        with _exclusive_access(path.parent):
            users = _read(path) if path.exists() else {}
            _write(path, users | {user: PasswordHash.of(password)})
    except OSError as error:
        raise StartRefused(f"can't be written: {error.strerror}", path=path) from error


def _check(user: str, password: str) -> None:
    if not _NAME.fullmatch(user):
        raise StartRefused("a user's name is 1 to 64 of letters, digits, '.', '_', '-', '@'")
    if not password:
        raise StartRefused("the password is empty")
    if any(not character.isprintable() for character in password):
        raise StartRefused("the password has characters that can't be printed")
    if len(password.encode()) > _MOST_PASSWORD_BYTES:
        raise StartRefused(f"the password is longer than {_MOST_PASSWORD_BYTES} bytes")


def _read(path: Path) -> dict[str, PasswordHash]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise StartRefused(f"can't be read: {error.strerror}", path=path) from error
    except UnicodeDecodeError as error:
        raise StartRefused("is no file of users", path=path) from error
    users = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            name, password = _parse(path, number, line)
            users[name] = password
    return users


def _parse(path: Path, number: int, line: str) -> tuple[str, PasswordHash]:
    name, _, text = line.strip().partition(":")
    try:
        if not _NAME.fullmatch(name):
            raise StartRefused(f"line {number} does not begin with a user's name", path=path)
        return name, PasswordHash.parse(text)
    except ValueError as error:
        raise StartRefused(f"line {number} has no usable hash of a password", path=path) from error


@contextmanager
def _exclusive_access(folder: Path) -> Iterator[None]:
    """Two changes at once would lose one of them."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, users: Mapping[str, PasswordHash]) -> None:
    """Readable for its owner only, or for whom the file that it replaces is."""
    handle, name = mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.writelines(f"{user}:{password}\n" for user, password in users.items())
            file.flush()
            if path.exists():
                _take_over(path, file.fileno())
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _take_over(old: Path, new: int) -> None:
    """Owner, group and mode: who could read the users still can."""
    before, now = old.stat(), os.fstat(new)
    if (before.st_uid, before.st_gid) != (now.st_uid, now.st_gid):
        os.fchown(new, before.st_uid, before.st_gid)
    os.fchmod(new, before.st_mode & 0o777)
