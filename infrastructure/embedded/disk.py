"""How much room is on the disks where the embedded servers keep their data, and what forbids to write there."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system of a folder: bytes that an ordinary user may still write, and its size.

    `gone` says why the folder can't be found, `refusal` why nothing can be written there, whatever room there is.
    """

    folder: Path
    free: int = 0
    size: int = 0
    gone: str | None = None
    refusal: str | None = None


def disk_of(folder: Path) -> Disk:
    """Looks at a folder; takes as long as its file system does."""
    try:
        found = os.statvfs(folder)
    except OSError as error:
        return Disk(folder, gone=error.strerror or str(error))
    free, size = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    return Disk(folder, free, size, refusal=_refusal(folder, found))


def _refusal(folder: Path, found: os.statvfs_result) -> str | None:
    if found.f_flag & os.ST_RDONLY:
        return "its file system is read-only"
    if not os.access(folder, os.W_OK | os.X_OK):
        return "its permissions forbid it"
    if found.f_files and not found.f_favail:
        return "its file system takes no more files"
    return None
