"""Errors that keep a command from running; each text is one line that says what and where.

ServiceError
├── AddressUnusable     the port is in use, or the host is not this machine
├── DataFolderUnusable  the data folder can't be written
├── DataFolderInUse     another service holds the data folder
├── FileUnusable        a file that was named can't be read or written
├── ChildRefused        a process does not start; says what it said itself
├── NotReady            a process did not become ready in time
├── NoStore             no event store is named, and no service runs in the folder
├── SnapshotsNotTaken   some of the snapshots could not be taken
└── WithoutSnapshots    no snapshots are kept of a stream
"""

from pathlib import Path


class ServiceError(Exception):
    """Base of all errors that keep a command from running."""


class DataFolderUnusable(ServiceError):
    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"the data folder {folder} can't be used: {reason}")
        self.folder = folder
        self.reason = reason


class FileUnusable(ServiceError):
    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"the file {file} can't be used: {reason}")
        self.file = file
        self.reason = reason


class DataFolderInUse(ServiceError):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"the data folder {folder} is in use by another service")
        self.folder = folder


class AddressUnusable(ServiceError):
    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"can't listen on {host}:{port}: {reason}")
        self.host = host
        self.port = port
        self.reason = reason


class ChildRefused(ServiceError):
    def __init__(self, name: str, exit_code: int, said: str) -> None:
        super().__init__(f"{name} does not start: {said or f'it ended with exit code {exit_code}'}")
        self.name = name
        self.exit_code = exit_code
        self.said = said


class NotReady(ServiceError):
    def __init__(self, name: str, seconds: float, said: str = "") -> None:
        super().__init__(f"{name} was not ready within {seconds:.0f} s{said and f'; it said: {said}'}")
        self.name = name
        self.seconds = seconds
        self.said = said


class WithoutSnapshots(ServiceError):
    def __init__(self, stream: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no snapshots are kept of {stream}, only of {', '.join(f'{each}-…' for each in known)}")
        self.stream = stream
        self.known = known


class NoStore(ServiceError):
    def __init__(self, folder: Path) -> None:
        state = f"no service runs in the folder {folder}" if folder.is_dir() else f"there is no folder {folder}"
        super().__init__(
            f"no event store is named, and {state}: start `foldstream serve --data {folder}`, say by --data where it"
            " runs, or name the event store by --eventstore URI or FOLDSTREAM_EVENTSTORE_URI"
        )
        self.folder = folder


class SnapshotsNotTaken(ServiceError):
    def __init__(self, failed: int, total: int) -> None:
        super().__init__(f"{failed:,} of {total:,} snapshots could not be taken; the output says why")
        self.failed = failed
        self.total = total
