"""Looks after the room on the disks of the embedded servers, in a thread: a file system may be slow to answer."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from infrastructure.embedded.disk import MIB, Disk, disk_of
from service.daemon_thread import begun_in_thread
from service.health.checks import Check, wrong

_CHECK_SECONDS: Final = 1.0


class DiskCheck:
    """The folders of the embedded servers; none where the service runs none. `least` is the room, in bytes, that
    each has to have."""

    def __init__(self, folders: Sequence[Path], least: int) -> None:
        self._folders: Final = tuple(folders)
        self._least: Final = least
        self._looking: asyncio.Future[tuple[Disk, ...]] | None = None
        self.disks: tuple[Disk, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to look after."""
        return bool(self._folders)

    async def check(self) -> Check:
        """The first folder that is not as it should be; takes a second at most."""
        looking = self._looking = self._begun_look()
        await asyncio.wait({looking}, timeout=_CHECK_SECONDS)
        if not looking.done():
            self.disks = ()
            names = " and ".join(str(folder) for folder in self._folders)
            return wrong("away", f"{names}: no answer of the file system within {_CHECK_SECONDS:g} s")
        self.disks = looking.result()
        return next((check for check in map(self._judged, self.disks) if not check.ok), Check(ok=True))

    def _begun_look(self) -> "asyncio.Future[tuple[Disk, ...]]":
        """The one that is not done yet, else a new one."""
        if self._looking is not None and not self._looking.done():
            return self._looking
        return begun_in_thread(self._look, "disk")

    def _look(self) -> tuple[Disk, ...]:
        return tuple(disk_of(folder) for folder in self._folders)

    def _judged(self, disk: Disk) -> Check:
        return of_disk(disk, self._least)


def of_disk(disk: Disk, least: int) -> Check:
    """`away` where the folder is gone, `failing` where nothing can be written there, or soon nothing will be."""
    if disk.gone is not None:
        return wrong("away", f"{disk.folder} is gone: {disk.gone}; put it back")
    if disk.refusal is not None:
        return wrong("failing", f"{disk.folder} can't be written: {disk.refusal}")
    if disk.free < least:
        room = f"{disk.free // MIB} of {disk.size // MIB} MiB are free, less than {least // MIB}"
        return wrong("failing", f"{disk.folder}: {room}; free some space")
    return Check(ok=True)
