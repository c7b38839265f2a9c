"""Where `--out` writes: to the output, through a device or fifo, or into a file that holds all of it or none."""

import errno
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from infrastructure.terminal import print_json_line, printable_json
from service.errors import FileUnusable


def write_json_lines(out: str | None, lines: Iterable[str]) -> None:
    """Writes lines of JSON to `out`; None and `-` are the output. It ends where nobody reads it any more.

    Links are followed. A device or fifo gets each line as it comes. A file gets all lines at once when the last is
    there; a new one is its owner's alone (0600), another keeps mode, owner and links. Raises FileUnusable,
    OutputUnusable.
    """
    if out in {None, "-"}:
        all(map(print_json_line, lines))  # up to the first that nobody reads
        return
    path = Path(str(out))
    try:
        (_write_through if _is_special(path) else _write_whole)(path, map(printable_json, lines))
    except BrokenPipeError:  # the reader of a fifo had enough
        return
    except OSError as error:
        raise FileUnusable(path, error.strerror or str(error)) from error


def _is_special(path: Path) -> bool:
    """Whether it can't be replaced: a device, a fifo, a folder, which refuses in its own words."""
    return path.exists() and not path.is_file()


def _write_through(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(f"{line}\n")
            file.flush()


def _write_whole(path: Path, lines: Iterable[str]) -> None:
    target = Path(os.path.realpath(path))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    with _part_of(target) as part:
        with part.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        if not (_resembles(part, target) and _renamed(part, target)):
            _copy(part, target)


@contextmanager
def _part_of(target: Path) -> Iterator[Path]:
    """A file for what is written so far: beside the target, where that folder takes new files."""
    beside = target.parent if os.access(target.parent, os.W_OK) or not target.exists() else None
    with NamedTemporaryFile(dir=beside, prefix=f".{target.name[:100]}.", suffix=".part", delete=False) as file:
        part = Path(file.name)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _resembles(part: Path, target: Path) -> bool:
    """Makes the part like the file that it is to replace; False where something of that would be lost."""
    try:
        found = target.stat()
        os.chown(part, found.st_uid, found.st_gid)
        part.chmod(stat.S_IMODE(found.st_mode))
        return found.st_nlink == 1 and not os.listxattr(target)
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _renamed(part: Path, target: Path) -> bool:
    """False for a file that can't be replaced, such as one that is mounted by itself, or on another disk."""
    with suppress(OSError):
        part.replace(target)
        return True
    return False


def _copy(part: Path, target: Path) -> None:
    """Copies into the file that is there, once there is room for all of it."""
    size = part.stat().st_size
    with part.open("rb") as source, open(os.open(target, os.O_WRONLY), "wb") as file:
        before = os.fstat(file.fileno()).st_size
        try:
            os.posix_fallocate(file.fileno(), 0, max(size, 1))
        except OSError:
            file.truncate(before)
            raise
        shutil.copyfileobj(source, file)
        file.truncate(size)
